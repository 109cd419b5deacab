# add_module(name FILES … HEADERS … DEPS … PRIVATE_DEPS …)
#   One static library of one folder, with two guards that keep the layers honest:
#   * NAME_linktest links the whole archive with its declared dependencies only, so an
#     undeclared use of another library does not link;
#   * every header compiles alone (target all_verify_interface_header_sets).
# add_unit_test(name FILES … DEPS …)
#   One test binary per library, registered with ctest under the label "unit".

add_library(pch OBJECT ${CMAKE_SOURCE_DIR}/cmake/pch.cc)
target_precompile_headers(pch PRIVATE
  <algorithm> <array> <atomic> <cstdint> <cstring> <functional> <map> <memory> <mutex> <optional>
  <span> <string> <string_view> <unordered_map> <utility> <variant> <vector>)

add_library(test_pch OBJECT ${CMAKE_SOURCE_DIR}/cmake/pch.cc)
target_link_libraries(test_pch PUBLIC GTest::gtest)
target_precompile_headers(test_pch PRIVATE
  <algorithm> <array> <atomic> <cstdint> <cstring> <functional> <map> <memory> <mutex> <optional>
  <span> <string> <string_view> <unordered_map> <utility> <variant> <vector> <gtest/gtest.h>)

function(add_module name)
  cmake_parse_arguments(M "" "" "FILES;HEADERS;DEPS;PRIVATE_DEPS" ${ARGN})
  add_library(${name} STATIC ${M_FILES})
  target_sources(${name} PUBLIC FILE_SET HEADERS BASE_DIRS ${CMAKE_SOURCE_DIR} FILES ${M_HEADERS})
  target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR}/generated)
  target_link_libraries(${name} PUBLIC ${M_DEPS} PRIVATE ${M_PRIVATE_DEPS})
  target_precompile_headers(${name} REUSE_FROM pch)
  set_target_properties(${name} PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)
  add_executable(${name}_linktest ${CMAKE_SOURCE_DIR}/cmake/linktest.cc)
  target_link_libraries(${name}_linktest PRIVATE
    "$<LINK_LIBRARY:WHOLE_ARCHIVE,${name}>" ${M_DEPS} ${M_PRIVATE_DEPS})
endfunction()

# The slowest takes about a third of it with nothing beside it on two cores.
set(UNIT_TEST_TIMEOUT_SECONDS 600)
if(BOREALIS_TSAN)
  set(UNIT_TEST_TIMEOUT_SECONDS 1200)
endif()

function(add_unit_test name)
  cmake_parse_arguments(T "" "" "FILES;DEPS" ${ARGN})
  add_executable(${name} ${T_FILES})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR}/generated)
  target_link_libraries(${name} PRIVATE ${T_DEPS} GTest::gtest GTest::gtest_main)
  target_precompile_headers(${name} REUSE_FROM test_pch)
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS unit TIMEOUT ${UNIT_TEST_TIMEOUT_SECONDS})
endfunction()
