-- No mart shows a change past the watermark.
select 'dim_customers' as mart, valid_from_position as position from {{ ref('dim_customers') }}
where valid_from_position > (select commit_position from {{ ref('int_watermark') }})
union all
select 'dim_accounts', valid_from_position from {{ ref('dim_accounts') }}
where valid_from_position > (select commit_position from {{ ref('int_watermark') }})
union all
select 'fct_transactions', commit_position from {{ ref('fct_transactions') }}
where commit_position > (select commit_position from {{ ref('int_watermark') }})
