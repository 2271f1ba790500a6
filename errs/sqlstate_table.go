package errs

// sqlstates holds every SQLSTATE of PostgreSQL 18 and CockroachDB with its default
// response: its kind, and a code and text of its own if the kind's are too coarse.
// The kind determines the status and Retry-After. A code that is not here has the
// kind of its class, see [meaningOf].
//
// https://www.postgresql.org/docs/18/errcodes-appendix.html
// https://github.com/cockroachdb/cockroach/blob/master/pkg/sql/pgwire/pgcode/codes.go
var sqlstates = []sqlstate{
	// Class 00: Successful Completion.
	// An error with a code of success is a fault of its sender, as in 01 to 03.
	{state: "00000", name: "successful_completion", kind: Internal},

	// Class 01: Warning.
	{state: "01000", name: "warning", kind: Internal},
	{state: "01003", name: "null_value_eliminated_in_set_function", kind: Internal},
	{state: "01004", name: "string_data_right_truncation", kind: Internal},
	{state: "01006", name: "privilege_not_revoked", kind: Internal},
	{state: "01007", name: "privilege_not_granted", kind: Internal},
	{state: "01008", name: "implicit_zero_bit_padding", kind: Internal},
	{state: "0100C", name: "dynamic_result_sets_returned", kind: Internal},
	{state: "01P01", name: "deprecated_feature", kind: Internal},

	// Class 02: No Data.
	{state: "02000", name: "no_data", kind: Internal},
	{state: "02001", name: "no_additional_dynamic_result_sets_returned", kind: Internal},

	// Class 03: SQL Statement Not Yet Complete.
	{state: "03000", name: "sql_statement_not_yet_complete", kind: Internal},

	// Class 08: Connection Exception.
	// Package txn reports whether the statement took effect; its own error decides
	// first.
	{state: "08000", name: "connection_exception", kind: Unavailable},
	{state: "08001", name: "sqlclient_unable_to_establish_sqlconnection", kind: Unavailable},
	{state: "08003", name: "connection_does_not_exist", kind: Unavailable},
	{state: "08004", name: "sqlserver_rejected_establishment_of_sqlconnection", kind: Unavailable},
	{state: "08006", name: "connection_failure", kind: Unavailable},
	{state: "08007", name: "transaction_resolution_unknown", kind: OutcomeUnknown},
	{state: "08C00", name: "proxy_connection_error", kind: Unavailable},
	{state: "08P01", name: "protocol_violation", kind: Internal}, // FATAL is a pooler's that lost its server: Unavailable

	// Class 09: Triggered Action Exception.
	{state: "09000", name: "triggered_action_exception", kind: Internal},

	// Class 0A: Feature Not Supported.
	// Unavailable if it is a statement that was planned before a migration: it is
	// planned anew the next time.
	{state: "0A000", name: "feature_not_supported", kind: Internal},

	// Class 0B: Invalid Transaction Initiation.
	{state: "0B000", name: "invalid_transaction_initiation", kind: Internal},

	// Class 0F: Locator Exception.
	{state: "0F000", name: "locator_exception", kind: Internal},
	{state: "0F001", name: "invalid_locator_specification", kind: Internal},

	// Class 0L: Invalid Grantor.
	{state: "0L000", name: "invalid_grantor", kind: Internal},
	{state: "0LP01", name: "invalid_grant_operation", kind: Internal},

	// Class 0P: Invalid Role Specification.
	{state: "0P000", name: "invalid_role_specification", kind: Internal},

	// Class 0Z: Diagnostics Exception.
	{state: "0Z000", name: "diagnostics_exception", kind: Internal},
	{state: "0Z002", name: "stacked_diagnostics_accessed_without_active_handler", kind: Internal},

	// Class 10: XQuery Error.
	{state: "10608", name: "invalid_argument_for_xquery", kind: Internal},

	// Class 20: Case Not Found.
	{state: "20000", name: "case_not_found", kind: Internal},

	// Class 21: Cardinality Violation.
	{state: "21000", name: "cardinality_violation", kind: Internal},

	// Class 22: Data Exception.
	// The client is at fault only if a value came from it unchanged. A value that the
	// service's own SQL computed or wrote (a division by zero, a JSON path) is the
	// service's fault; a rule by [SQLState] says otherwise if the client can correct
	// it. 22000 is Invalid for a range that ends before it begins.
	{state: "22000", name: "data_exception", kind: Internal},
	{state: "22001", name: "string_data_right_truncation", kind: Invalid, code: "too_long", text: "A value is too long."},
	{state: "22002", name: "null_value_no_indicator_parameter", kind: Internal},
	{state: "22003", name: "numeric_value_out_of_range", kind: Invalid, code: "out_of_range", text: "A number is out of range."},
	{state: "22004", name: "null_value_not_allowed", kind: Invalid},
	{state: "22005", name: "error_in_assignment", kind: Internal},
	{state: "22007", name: "invalid_datetime_format", kind: Malformed, code: "invalid_datetime", text: "A date or time is not valid."},
	{state: "22008", name: "datetime_field_overflow", kind: Invalid, code: "invalid_datetime", text: "A date or time is not valid."},
	{state: "22009", name: "invalid_time_zone_displacement_value", kind: Invalid, code: "invalid_datetime", text: "A date or time is not valid."},
	{state: "2200B", name: "escape_character_conflict", kind: Internal},
	{state: "2200C", name: "invalid_use_of_escape_character", kind: Internal},
	{state: "2200D", name: "invalid_escape_octet", kind: Internal},
	{state: "2200F", name: "zero_length_character_string", kind: Internal},
	{state: "2200G", name: "most_specific_type_mismatch", kind: Internal},
	{state: "2200H", name: "sequence_generator_limit_exceeded", kind: Internal},
	{state: "2200L", name: "not_an_xml_document", kind: Malformed, code: "invalid_xml", text: "The XML is not valid."},
	{state: "2200M", name: "invalid_xml_document", kind: Malformed, code: "invalid_xml", text: "The XML is not valid."},
	{state: "2200N", name: "invalid_xml_content", kind: Malformed, code: "invalid_xml", text: "The XML is not valid."},
	{state: "2200S", name: "invalid_xml_comment", kind: Malformed, code: "invalid_xml", text: "The XML is not valid."},
	{state: "2200T", name: "invalid_xml_processing_instruction", kind: Malformed, code: "invalid_xml", text: "The XML is not valid."},
	{state: "22010", name: "invalid_indicator_parameter_value", kind: Internal},
	{state: "22011", name: "substring_error", kind: Internal},
	{state: "22012", name: "division_by_zero", kind: Internal},
	{state: "22013", name: "invalid_preceding_or_following_size", kind: Internal},
	{state: "22014", name: "invalid_argument_for_ntile_function", kind: Internal},
	{state: "22015", name: "interval_field_overflow", kind: Invalid, code: "invalid_datetime", text: "A date or time is not valid."},
	{state: "22016", name: "invalid_argument_for_nth_value_function", kind: Internal},
	{state: "22018", name: "invalid_character_value_for_cast", kind: Malformed},
	{state: "22019", name: "invalid_escape_character", kind: Internal},
	{state: "2201B", name: "invalid_regular_expression", kind: Malformed, code: "invalid_pattern", text: "The pattern is not valid."},
	{state: "2201E", name: "invalid_argument_for_logarithm", kind: Internal},
	{state: "2201F", name: "invalid_argument_for_power_function", kind: Internal},
	{state: "2201G", name: "invalid_argument_for_width_bucket_function", kind: Internal},
	{state: "2201W", name: "invalid_row_count_in_limit_clause", kind: Malformed, code: "invalid_page", text: "The page is not valid."},
	{state: "2201X", name: "invalid_row_count_in_result_offset_clause", kind: Malformed, code: "invalid_page", text: "The page is not valid."},
	{state: "22021", name: "character_not_in_repertoire", kind: Malformed, code: "invalid_characters", text: "The text contains characters that cannot be stored."},
	{state: "22022", name: "indicator_overflow", kind: Internal},
	{state: "22023", name: "invalid_parameter_value", kind: Malformed},
	{state: "22024", name: "unterminated_c_string", kind: Malformed, code: "invalid_characters", text: "The text contains characters that cannot be stored."},
	{state: "22025", name: "invalid_escape_sequence", kind: Malformed, code: "invalid_pattern", text: "The pattern is not valid."},
	{state: "22026", name: "string_data_length_mismatch", kind: Invalid, code: "wrong_length", text: "A value has the wrong length."},
	{state: "22027", name: "trim_error", kind: Internal},
	{state: "2202E", name: "array_subscript_error", kind: Internal},
	{state: "2202G", name: "invalid_tablesample_repeat", kind: Internal},
	{state: "2202H", name: "invalid_tablesample_argument", kind: Internal},
	{state: "22030", name: "duplicate_json_object_key_value", kind: Internal},
	{state: "22031", name: "invalid_argument_for_sql_json_datetime_function", kind: Internal},
	{state: "22032", name: "invalid_json_text", kind: Internal},
	{state: "22033", name: "invalid_sql_json_subscript", kind: Internal},
	{state: "22034", name: "more_than_one_sql_json_item", kind: Internal},
	{state: "22035", name: "no_sql_json_item", kind: Internal},
	{state: "22036", name: "non_numeric_sql_json_item", kind: Internal},
	{state: "22037", name: "non_unique_keys_in_a_json_object", kind: Internal},
	{state: "22038", name: "singleton_sql_json_item_required", kind: Internal},
	{state: "22039", name: "sql_json_array_not_found", kind: Internal},
	{state: "2203A", name: "sql_json_member_not_found", kind: Internal},
	{state: "2203B", name: "sql_json_number_not_found", kind: Internal},
	{state: "2203C", name: "sql_json_object_not_found", kind: Internal},
	{state: "2203D", name: "too_many_json_array_elements", kind: Internal},
	{state: "2203E", name: "too_many_json_object_members", kind: Internal},
	{state: "2203F", name: "sql_json_scalar_required", kind: Internal},
	{state: "2203G", name: "sql_json_item_cannot_be_cast_to_target_type", kind: Internal},
	{state: "22C01", name: "scalar_operation_cannot_run_without_full_session_context", kind: Internal},
	{state: "22P01", name: "floating_point_exception", kind: Internal},
	{state: "22P02", name: "invalid_text_representation", kind: Malformed},
	{state: "22P03", name: "invalid_binary_representation", kind: Malformed},
	{state: "22P04", name: "bad_copy_file_format", kind: Internal},
	{state: "22P05", name: "untranslatable_character", kind: Malformed, code: "invalid_characters", text: "The text contains characters that cannot be stored."},
	{state: "22P06", name: "nonstandard_use_of_escape_character", kind: Internal},

	// Class 23: Integrity Constraint Violation.
	// A NULL is the client's fault only if a rule says that the client sends the
	// column.
	{state: "23000", name: "integrity_constraint_violation", kind: Conflict},
	{state: "23001", name: "restrict_violation", kind: StillReferenced},                                               // PostgreSQL 18 for RESTRICT
	{state: "23502", name: "not_null_violation", kind: Internal},                                                      // Required, by a rule
	{state: "23503", name: "foreign_key_violation", kind: Conflict, text: "The request conflicts with related data."}, // unless its direction is known
	{state: "23505", name: "unique_violation", kind: AlreadyExists},
	{state: "23514", name: "check_violation", kind: Invalid}, // Internal without a constraint: no partition takes the row
	{state: "23P01", name: "exclusion_violation", kind: Conflict, code: "overlap", text: "This overlaps an existing item."},

	// Class 24: Invalid Cursor State.
	{state: "24000", name: "invalid_cursor_state", kind: Internal},

	// Class 25: Invalid Transaction State.
	// 25P03 is a handler that kept a transaction open for too long.
	{state: "25000", name: "invalid_transaction_state", kind: Internal},
	{state: "25001", name: "active_sql_transaction", kind: Internal},
	{state: "25002", name: "branch_transaction_already_active", kind: Internal},
	{state: "25003", name: "inappropriate_access_mode_for_branch_transaction", kind: Internal},
	{state: "25004", name: "inappropriate_isolation_level_for_branch_transaction", kind: Internal},
	{state: "25005", name: "no_active_sql_transaction_for_branch_transaction", kind: Internal},
	{state: "25006", name: "read_only_sql_transaction", kind: Unavailable}, // the primary has moved: the next connection finds it. Package txn tells a write in a ReadOnly call apart
	{state: "25007", name: "schema_and_data_statement_mixing_not_supported", kind: Internal},
	{state: "25008", name: "held_cursor_requires_same_isolation_level", kind: Internal},
	{state: "25P01", name: "no_active_sql_transaction", kind: Internal},
	{state: "25P02", name: "in_failed_sql_transaction", kind: Internal},
	{state: "25P03", name: "idle_in_transaction_session_timeout", kind: Internal},
	{state: "25P04", name: "transaction_timeout", kind: Timeout}, // since PostgreSQL 17

	// Class 26: Invalid SQL Statement Name.
	{state: "26000", name: "invalid_sql_statement_name", kind: Internal},

	// Class 27: Triggered Data Change Violation.
	{state: "27000", name: "triggered_data_change_violation", kind: Internal},

	// Class 28: Invalid Authorization Specification.
	// The refused credential is the service's own.
	{state: "28000", name: "invalid_authorization_specification", kind: Internal},
	{state: "28P01", name: "invalid_password", kind: Internal},

	// Class 2B: Dependent Privilege Descriptors Still Exist.
	{state: "2B000", name: "dependent_privilege_descriptors_still_exist", kind: Internal},
	{state: "2BP01", name: "dependent_objects_still_exist", kind: Internal},

	// Class 2D: Invalid Transaction Termination.
	{state: "2D000", name: "invalid_transaction_termination", kind: Internal},

	// Class 2F: SQL Routine Exception.
	{state: "2F000", name: "sql_routine_exception", kind: Internal},
	{state: "2F002", name: "modifying_sql_data_not_permitted", kind: Internal},
	{state: "2F003", name: "prohibited_sql_statement_attempted", kind: Internal},
	{state: "2F004", name: "reading_sql_data_not_permitted", kind: Internal},
	{state: "2F005", name: "function_executed_no_return_statement", kind: Internal},

	// Class 34: Invalid Cursor Name.
	{state: "34000", name: "invalid_cursor_name", kind: Internal},

	// Class 38: External Routine Exception.
	{state: "38000", name: "external_routine_exception", kind: Internal},
	{state: "38001", name: "containing_sql_not_permitted", kind: Internal},
	{state: "38002", name: "modifying_sql_data_not_permitted", kind: Internal},
	{state: "38003", name: "prohibited_sql_statement_attempted", kind: Internal},
	{state: "38004", name: "reading_sql_data_not_permitted", kind: Internal},

	// Class 39: External Routine Invocation Exception.
	{state: "39000", name: "external_routine_invocation_exception", kind: Internal},
	{state: "39001", name: "invalid_sqlstate_returned", kind: Internal},
	{state: "39004", name: "null_value_not_allowed", kind: Internal},
	{state: "39P01", name: "trigger_protocol_violated", kind: Internal},
	{state: "39P02", name: "srf_protocol_violated", kind: Internal},
	{state: "39P03", name: "event_trigger_protocol_violated", kind: Internal},

	// Class 3B: Savepoint Exception.
	{state: "3B000", name: "savepoint_exception", kind: Internal},
	{state: "3B001", name: "invalid_savepoint_specification", kind: Internal},

	// Class 3D: Invalid Catalog Name.
	{state: "3D000", name: "invalid_catalog_name", kind: Internal},

	// Class 3F: Invalid Schema Name.
	{state: "3F000", name: "invalid_schema_name", kind: Internal},

	// Class 40: Transaction Rollback.
	// Package txn has already retried these.
	{state: "40000", name: "transaction_rollback", kind: Contention},
	{state: "40001", name: "serialization_failure", kind: Contention},
	{state: "40002", name: "transaction_integrity_constraint_violation", kind: Conflict},
	{state: "40003", name: "statement_completion_unknown", kind: OutcomeUnknown},
	{state: "40P01", name: "deadlock_detected", kind: Contention},

	// Class 42: Syntax Error or Access Rule Violation.
	// 42501 is Forbidden if row-level security refused a row; otherwise a GRANT is
	// missing. 42601 is Malformed if a value was parsed and not SQL: a tsquery,
	// jsonpath, ltree.
	{state: "42000", name: "syntax_error_or_access_rule_violation", kind: Internal},
	{state: "42501", name: "insufficient_privilege", kind: Internal},
	{state: "42601", name: "syntax_error", kind: Internal},
	{state: "42602", name: "invalid_name", kind: Internal},
	{state: "42611", name: "invalid_column_definition", kind: Internal},
	{state: "42622", name: "name_too_long", kind: Internal},
	{state: "42701", name: "duplicate_column", kind: Internal},
	{state: "42702", name: "ambiguous_column", kind: Internal},
	{state: "42703", name: "undefined_column", kind: Internal},
	{state: "42704", name: "undefined_object", kind: Internal},
	{state: "42710", name: "duplicate_object", kind: Internal},
	{state: "42712", name: "duplicate_alias", kind: Internal},
	{state: "42723", name: "duplicate_function", kind: Internal},
	{state: "42725", name: "ambiguous_function", kind: Internal},
	{state: "42803", name: "grouping_error", kind: Internal},
	{state: "42804", name: "datatype_mismatch", kind: Internal},
	{state: "42809", name: "wrong_object_type", kind: Internal},
	{state: "42830", name: "invalid_foreign_key", kind: Internal},
	{state: "42846", name: "cannot_coerce", kind: Internal},
	{state: "42883", name: "undefined_function", kind: Internal},
	{state: "428C9", name: "generated_always", kind: Internal},
	{state: "42939", name: "reserved_name", kind: Internal},
	{state: "42C01", name: "file_already_exists", kind: Internal},
	{state: "42P01", name: "undefined_table", kind: Internal},
	{state: "42P02", name: "undefined_parameter", kind: Internal},
	{state: "42P03", name: "duplicate_cursor", kind: Internal},
	{state: "42P04", name: "duplicate_database", kind: Internal},
	{state: "42P05", name: "duplicate_prepared_statement", kind: Internal},
	{state: "42P06", name: "duplicate_schema", kind: Internal},
	{state: "42P07", name: "duplicate_table", kind: Internal},
	{state: "42P08", name: "ambiguous_parameter", kind: Internal},
	{state: "42P09", name: "ambiguous_alias", kind: Internal},
	{state: "42P10", name: "invalid_column_reference", kind: Internal},
	{state: "42P11", name: "invalid_cursor_definition", kind: Internal},
	{state: "42P12", name: "invalid_database_definition", kind: Internal},
	{state: "42P13", name: "invalid_function_definition", kind: Internal},
	{state: "42P14", name: "invalid_prepared_statement_definition", kind: Internal},
	{state: "42P15", name: "invalid_schema_definition", kind: Internal},
	{state: "42P16", name: "invalid_table_definition", kind: Internal},
	{state: "42P17", name: "invalid_object_definition", kind: Internal},
	{state: "42P18", name: "indeterminate_datatype", kind: Internal},
	{state: "42P19", name: "invalid_recursion", kind: Internal},
	{state: "42P20", name: "windowing_error", kind: Internal},
	{state: "42P21", name: "collation_mismatch", kind: Internal},
	{state: "42P22", name: "indeterminate_collation", kind: Internal},

	// Class 44: WITH CHECK OPTION Violation.
	{state: "44000", name: "with_check_option_violation", kind: Invalid},

	// Class 53: Insufficient Resources.
	// 53400 is a limit that the same request meets again (temporary files), so it is
	// not a 503, which asks for the request to be sent again.
	{state: "53000", name: "insufficient_resources", kind: Unavailable},
	{state: "53100", name: "disk_full", kind: Unavailable},
	{state: "53200", name: "out_of_memory", kind: Unavailable},
	{state: "53300", name: "too_many_connections", kind: Unavailable},
	{state: "53400", name: "configuration_limit_exceeded", kind: Internal},

	// Class 54: Program Limit Exceeded.
	// 54000 is also an indexed text that is too long; a rule by [SQLState] can say so.
	{state: "54000", name: "program_limit_exceeded", kind: Internal},
	{state: "54001", name: "statement_too_complex", kind: Internal},
	{state: "54011", name: "too_many_columns", kind: Internal},
	{state: "54023", name: "too_many_arguments", kind: Internal},

	// Class 55: Object Not In Prerequisite State.
	// 55P03 is NOWAIT or lock_timeout: another transaction was first.
	{state: "55000", name: "object_not_in_prerequisite_state", kind: Internal},
	{state: "55006", name: "object_in_use", kind: Internal},
	{state: "55C01", name: "schema_change_occurred", kind: Internal},
	{state: "55C02", name: "no_primary_key", kind: Internal},
	{state: "55P02", name: "cant_change_runtime_param", kind: Internal},
	{state: "55P03", name: "lock_not_available", kind: Contention},
	{state: "55P04", name: "unsafe_new_enum_value_usage", kind: Internal},

	// Class 57: Operator Intervention.
	// 57014 is Canceled if the error also holds the cancellation of a context.
	{state: "57000", name: "operator_intervention", kind: Unavailable},
	{state: "57014", name: "query_canceled", kind: Timeout}, // statement_timeout; Canceled if it was
	{state: "57P01", name: "admin_shutdown", kind: Unavailable},
	{state: "57P02", name: "crash_shutdown", kind: Unavailable},
	{state: "57P03", name: "cannot_connect_now", kind: Unavailable},
	{state: "57P04", name: "database_dropped", kind: Internal},
	{state: "57P05", name: "idle_session_timeout", kind: Unavailable},

	// Class 58: System Error.
	{state: "58000", name: "system_error", kind: Internal},
	{state: "58030", name: "io_error", kind: Internal},
	{state: "58C00", name: "range_unavailable", kind: Unavailable},
	{state: "58C01", name: "internal_connection_failure", kind: Unavailable},
	{state: "58P01", name: "undefined_file", kind: Internal},
	{state: "58P02", name: "duplicate_file", kind: Internal},
	{state: "58P03", name: "file_name_too_long", kind: Internal}, // since PostgreSQL 18

	// Class 72: Snapshot Failure.
	{state: "72000", name: "snapshot_too_old", kind: Contention}, // until PostgreSQL 16

	// Class F0: Configuration File Error.
	{state: "F0000", name: "config_file_error", kind: Internal},
	{state: "F0001", name: "lock_file_exists", kind: Internal},

	// Class HV: Foreign Data Wrapper Error.
	{state: "HV000", name: "fdw_error", kind: Internal},
	{state: "HV001", name: "fdw_out_of_memory", kind: Internal},
	{state: "HV002", name: "fdw_dynamic_parameter_value_needed", kind: Internal},
	{state: "HV004", name: "fdw_invalid_data_type", kind: Internal},
	{state: "HV005", name: "fdw_column_name_not_found", kind: Internal},
	{state: "HV006", name: "fdw_invalid_data_type_descriptors", kind: Internal},
	{state: "HV007", name: "fdw_invalid_column_name", kind: Internal},
	{state: "HV008", name: "fdw_invalid_column_number", kind: Internal},
	{state: "HV009", name: "fdw_invalid_use_of_null_pointer", kind: Internal},
	{state: "HV00A", name: "fdw_invalid_string_format", kind: Internal},
	{state: "HV00B", name: "fdw_invalid_handle", kind: Internal},
	{state: "HV00C", name: "fdw_invalid_option_index", kind: Internal},
	{state: "HV00D", name: "fdw_invalid_option_name", kind: Internal},
	{state: "HV00J", name: "fdw_option_name_not_found", kind: Internal},
	{state: "HV00K", name: "fdw_reply_handle", kind: Internal},
	{state: "HV00L", name: "fdw_unable_to_create_execution", kind: Internal},
	{state: "HV00M", name: "fdw_unable_to_create_reply", kind: Internal},
	{state: "HV00N", name: "fdw_unable_to_establish_connection", kind: Internal},
	{state: "HV00P", name: "fdw_no_schemas", kind: Internal},
	{state: "HV00Q", name: "fdw_schema_not_found", kind: Internal},
	{state: "HV00R", name: "fdw_table_not_found", kind: Internal},
	{state: "HV010", name: "fdw_function_sequence_error", kind: Internal},
	{state: "HV014", name: "fdw_too_many_handles", kind: Internal},
	{state: "HV021", name: "fdw_inconsistent_descriptor_information", kind: Internal},
	{state: "HV024", name: "fdw_invalid_attribute_value", kind: Internal},
	{state: "HV090", name: "fdw_invalid_string_length_or_buffer_length", kind: Internal},
	{state: "HV091", name: "fdw_invalid_descriptor_field_identifier", kind: Internal},

	// Class P0: PL/pgSQL Error.
	// Raised by the application's own functions: [SQLState] says what one means to the
	// client.
	{state: "P0000", name: "plpgsql_error", kind: Internal},
	{state: "P0001", name: "raise_exception", kind: Internal},
	{state: "P0002", name: "no_data_found", kind: Internal},
	{state: "P0003", name: "too_many_rows", kind: Internal},
	{state: "P0004", name: "assert_failure", kind: Internal},

	// Class XC: CockroachDB's own. A bounded staleness read finds its data on a later try.
	{state: "XCEXF", name: "experimental_feature", kind: Internal},
	{state: "XCHR1", name: "query_has_no_home_region", kind: Internal},
	{state: "XCHR2", name: "query_not_running_in_home_region", kind: Internal},
	{state: "XCUBS", name: "unsatisfiable_bounded_staleness", kind: Unavailable},

	// Class XX: Internal Error.
	// XXA00: the data is committed, and a later schema change failed. Never resend.
	{state: "XX000", name: "internal_error", kind: Internal},
	{state: "XX001", name: "data_corrupted", kind: Internal},
	{state: "XX002", name: "index_corrupted", kind: Internal},
	{state: "XXA00", name: "transaction_committed_with_schema_change_failure", kind: Internal},
	{state: "XXC01", name: "ccl_required", kind: Internal},
	{state: "XXC02", name: "ccl_valid_license_required", kind: Internal},
	{state: "XXUUU", name: "uncategorized", kind: Internal},
}
