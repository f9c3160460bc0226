{#-
on-run-end: drops the relations of earlier versions that no model makes any more, so that nobody reads one that stands still.
A relation that is not there costs no statement: dbt has listed the schemas already.
-#}
{% macro drop_retired() %}
    {% if execute and flags.WHICH in ['build', 'run'] %}
        {% set retired = [
            ('STAGING', 'STG_CUSTOMER_CHANGES'),
            ('STAGING', 'STG_ACCOUNT_CHANGES'),
            ('STAGING', 'STG_TRANSACTION_CHANGES'),
            ('INTERMEDIATE', 'INT_CUSTOMER_CHANGES'),
            ('INTERMEDIATE', 'INT_ACCOUNT_CHANGES'),
            ('INTERMEDIATE', 'INT_TRANSACTION_CHANGES'),
        ] %}
        {% for schema, name in retired %}
            {% set relation = adapter.get_relation(database=target.database, schema=schema, identifier=name) %}
            {% if relation %}{% do adapter.drop_relation(relation) %}{% endif %}
        {% endfor %}
    {% endif %}
{% endmacro %}
