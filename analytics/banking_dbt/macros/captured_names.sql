{#- The captured tables by the names that END records give them, as an SQL list. -#}
{% macro captured_names() -%}
    {% for table in captured_tables() %}'{{ table.qualified_name }}'{{ ', ' if not loop.last }}{% endfor %}
{%- endmacro %}
