{#- A model's schema is exactly the one that is configured: STAGING, INTERMEDIATE, SNAPSHOTS or MARTS. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ (custom_schema_name or target.schema) | trim | upper }}
{%- endmacro %}
