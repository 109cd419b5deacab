"""What MySQL 8.0 can do, told to SQLAlchemy's suite for dialects: by default it leaves out what not every database has."""
from sqlalchemy.testing import exclusions
from sqlalchemy.testing.requirements import SuiteRequirements

HAS = """
    cross_schema_fk_reflection ctes date_historic datetime_historic dbapi_lastrowid delete_from emulated_lastrowid
    fetch_expression fk_constraint_option_reflection_ondelete_noaction fk_constraint_option_reflection_ondelete_restrict
    fk_constraint_option_reflection_onupdate_restrict foreign_key_constraint_name_reflection
    foreign_key_constraint_option_reflection_ondelete foreign_key_constraint_option_reflection_onupdate isolation_level
    json_array_indexes json_type legacy_unconditional_json_extract mod_operator_as_percent_sign non_updating_cascade
    order_by_label_with_expression percent_schema_names precision_numerics_enotation_large
    precision_numerics_enotation_small precision_numerics_many_significant_digits regexp_match regexp_replace savepoints
    table_ddl_if_exists tuple_in tuple_in_w_empty unicode_ddl update_from view_column_reflection view_reflection views window_functions
"""
# The first four: SQLAlchemy's types ask MySQL for no fractions of seconds, and MySQL for the length of a VARCHAR.
LACKS = """
    datetime_microseconds time_microseconds timestamp_microseconds unbounded_varchar
    except_ intersect offset sql_expression_limit_offset parens_in_union_contained_select_w_limit_offset
    parens_in_union_contained_select_wo_limit_offset update_where_target_in_subquery datetime_implicit_bound floats_to_four_decimals
    cast_precision_numerics_many_significant_digits precision_generic_float_type
"""


def always(rule):
    return property(lambda self: rule())


class Requirements(SuiteRequirements):
    def get_isolation_levels(self, config):
        levels = ["READ COMMITTED", "READ UNCOMMITTED", "REPEATABLE READ", "SERIALIZABLE"]
        return {"default": "REPEATABLE READ", "supported": [*levels, "AUTOCOMMIT"]}


for name in HAS.split():
    setattr(Requirements, name, always(exclusions.open))
for name in LACKS.split():
    setattr(Requirements, name, always(exclusions.closed))
