// The type of the column SQL_MODE in tables of stored programs, in the notation of system_rows.h: a
// macro, for definitions of tables are one literal each. NOT_USED are flags that MySQL gave up.
#pragma once

// clang-format off
#define BOREALIS_SQL_MODE_COLUMN \
  "set('REAL_AS_FLOAT','PIPES_AS_CONCAT','ANSI_QUOTES','IGNORE_SPACE','NOT_USED'," \
  "'ONLY_FULL_GROUP_BY','NO_UNSIGNED_SUBTRACTION','NO_DIR_IN_CREATE','NOT_USED_9','NOT_USED_10'," \
  "'NOT_USED_11','NOT_USED_12','NOT_USED_13','NOT_USED_14','NOT_USED_15','NOT_USED_16'," \
  "'NOT_USED_17','NOT_USED_18','ANSI','NO_AUTO_VALUE_ON_ZERO','NO_BACKSLASH_ESCAPES'," \
  "'STRICT_TRANS_TABLES','STRICT_ALL_TABLES','NO_ZERO_IN_DATE','NO_ZERO_DATE'," \
  "'ALLOW_INVALID_DATES','ERROR_FOR_DIVISION_BY_ZERO','TRADITIONAL','NOT_USED_29'," \
  "'HIGH_NOT_PRECEDENCE','NO_ENGINE_SUBSTITUTION','PAD_CHAR_TO_FULL_LENGTH'," \
  "'TIME_TRUNCATE_FRACTIONAL') BIN"
// clang-format on
