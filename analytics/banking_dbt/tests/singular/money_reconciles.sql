-- The current accounts of the two histories, ours from the log and dbt's from the states that builds saw, are the same
-- rows, balances included. They share the changes and nothing after them.
with from_log as (

    select account_id, customer_id, account_type, balance, currency, created_at
    from {{ ref('dim_accounts') }}
    where is_current

),

from_snapshot as (

    select id as account_id, customer_id, account_type, balance, currency, created_at
    from {{ ref('accounts_snapshot') }}
    where dbt_valid_to is null and dbt_is_deleted = 'False'

)

select 'only in dim_accounts' as side, missing.*
from (select * from from_log except select * from from_snapshot) as missing
union all
select 'only in accounts_snapshot', missing.*
from (select * from from_snapshot except select * from from_log) as missing
