# Compiler and linker settings shared by every target.
add_compile_options(-Wall -Wextra -Wshadow -Werror -fno-omit-frame-pointer)
add_compile_options($<$<CXX_COMPILER_ID:GNU>:-Wno-interference-size>)
# CRC-32C uses the SSE 4.2 instruction where the target has it; every x86-64 server since 2008 does.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  add_compile_options(-msse4.2)
endif()

option(BOREALIS_ASAN "Address and undefined-behaviour sanitizers" OFF)
option(BOREALIS_UBSAN "Undefined-behaviour sanitizer alone: quick enough for every test" OFF)
option(BOREALIS_TSAN "Thread sanitizer" OFF)
if(BOREALIS_ASAN)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=undefined)
  add_link_options(-fsanitize=address,undefined)
  add_compile_definitions(BOREALIS_SANITIZED=1)
endif()
if(BOREALIS_UBSAN)
  add_compile_options(-fsanitize=undefined -fno-sanitize-recover=undefined)
  add_link_options(-fsanitize=undefined)
  add_compile_definitions(BOREALIS_SANITIZED=1)
endif()
if(BOREALIS_TSAN)
  # g++ 12 warns that TSan does not model atomic_thread_fence, which Boost.Asio uses correctly.
  add_compile_options(-fsanitize=thread -Wno-tsan)
  add_link_options(-fsanitize=thread)
  add_compile_definitions(BOREALIS_SANITIZED=1)
endif()

find_program(MOLD_PROGRAM mold)
if(MOLD_PROGRAM)
  add_link_options(-fuse-ld=mold)
endif()
find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Paths below the tree count as relative, so that every checkout on a machine shares one cache.
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros
      CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${CCACHE_PROGRAM})
endif()
# Linking is memory-hungry and single-file; one at a time keeps a two-core machine usable.
set_property(GLOBAL PROPERTY JOB_POOLS link_pool=1)
set(CMAKE_JOB_POOL_LINK link_pool)
