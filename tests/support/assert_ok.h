// Tests of a Status, which say what went wrong.
#pragma once

#include <gtest/gtest.h>

#include "base/status.h"

#define ASSERT_OK(expr)                                       \
  do {                                                        \
    const ::borealis::Status ok_ = (expr);                    \
    ASSERT_TRUE(ok_.ok()) << #expr << ": " << ok_.ToString(); \
  } while (false)
#define EXPECT_OK(expr)                                       \
  do {                                                        \
    const ::borealis::Status ok_ = (expr);                    \
    EXPECT_TRUE(ok_.ok()) << #expr << ": " << ok_.ToString(); \
  } while (false)
