# SPDX-License-Identifier: MIT
# How a test is added. Labels: long stays out of the inner loop, for what takes it long to compile or to run and other tests
# touch already; slow, qemu and fuzz stay out of every loop; concurrency is run under TSan as well. The target
# tests_<label> builds what the tests with that label need and no more, and tests_inner what the inner loop needs.
foreach(label IN ITEMS inner long slow qemu fuzz concurrency)
  add_custom_target(tests_${label})
endforeach()

# vmsa_label(TEST TARGET label...): the ctest entry TEST runs what TARGET builds.
function(vmsa_label test target)
  set_tests_properties(${test} PROPERTIES LABELS "${ARGN}")
  set(places ${ARGN})
  if(NOT "${places}" MATCHES "long|slow|qemu|fuzz")
    list(APPEND places inner)
  endif()
  foreach(label IN LISTS places)
    add_dependencies(tests_${label} ${target})
  endforeach()
endfunction()

# vmsa_begin_early(TEST): a long test goes first, so that the others run beside it.
function(vmsa_begin_early test)
  set_tests_properties(${test} PROPERTIES COST 10)
endfunction()

set(VMSA_FUZZ_SECONDS 10 CACHE STRING "How long each fuzz target runs as a test")
set(VMSA_FUZZ_SEED 1 CACHE STRING "The seed of the fuzz targets; 0 is another one for each run")

if(NOT VMSA_CORE_ONLY)
  find_package(GTest 1.12 REQUIRED)
  find_package(ZLIB REQUIRED)
  # What every GoogleTest program links, and the one precompiled header they share. The printers are in it because
  # GoogleTest decides once for a program how a type is printed: a source without them would undo them for the others.
  # Where the tests lie is in one object only: all others are the same in every checkout, and so in a compiler cache.
  file(CONFIGURE OUTPUT test_base.cpp CONTENT "#include \"tests_folder.hpp\"
std::string const& vmsa::tests_folder() {
  static std::string const folder = \"${PROJECT_SOURCE_DIR}/tests\";
  return folder;
}
")
  add_library(test_base STATIC ${CMAKE_CURRENT_BINARY_DIR}/test_base.cpp)
  target_link_libraries(test_base PUBLIC vmsa_printers GTest::gmock GTest::gtest ZLIB::ZLIB)
  target_include_directories(test_base PUBLIC ${PROJECT_SOURCE_DIR}/tests)
  target_precompile_headers(test_base PRIVATE <gtest/gtest.h> <vmsa/testing/printers.hpp>)
  target_compile_options(test_base PRIVATE $<$<CONFIG:Debug>:-O0>)  # as vmsa_compile_quickly() says
endif()

# vmsa_compile_quickly(TARGET): with the precompiled header and, in Debug builds, unoptimised. Most tests run each line
# once, and half the time of compiling them would go into optimising it.
function(vmsa_compile_quickly target)
  target_precompile_headers(${target} REUSE_FROM test_base)
  target_compile_options(${target} PRIVATE $<$<CONFIG:Debug>:-O0>)
endfunction()

# vmsa_add_test(NAME SOURCE... [LIBRARIES lib...] [LABELS label...] [OPTIMIZED] [CORE] [UNITY]): one GoogleTest program, one
# ctest entry. CORE is for tests of the core, which do without vmsa::testing and so are built without text. UNITY compiles
# eight sources as one, each of which stands in a namespace of its file's name: headers cost most of the time of a test.
# vmsa::tests_folder() of tests_folder.hpp names this folder, for golden tables.
# OPTIMIZED is for programs that run for seconds; the precompiled header has the others' flags and is not for them.
function(vmsa_add_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "OPTIMIZED;CORE;UNITY" "" "LIBRARIES;LABELS")
  add_executable(${name} ${arg_UNPARSED_ARGUMENTS})
  if(NOT arg_CORE)
    list(APPEND arg_LIBRARIES vmsa::testing)
  endif()
  target_link_libraries(${name} PRIVATE test_base ${arg_LIBRARIES} GTest::gtest_main)
  if(arg_OPTIMIZED)
    target_compile_options(${name} PRIVATE "SHELL:-include vmsa/testing/printers.hpp" $<$<CONFIG:Debug>:-O1>)
  else()
    vmsa_compile_quickly(${name})
  endif()
  if(arg_UNITY)
    set_target_properties(${name} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 8)
  endif()
  add_test(NAME ${name} COMMAND ${name} --gtest_brief=1)
  if(arg_OPTIMIZED)
    vmsa_begin_early(${name})
  endif()
  vmsa_label(${name} ${name} ${arg_LABELS})
endfunction()

# vmsa_add_command_test(NAME SOURCE... [ARGS arg...]): one GoogleTest program that runs the built command, whose path is its
# first argument, and reads what JSON it prints.
function(vmsa_add_command_test name)
  if(NOT VMSA_BUILD_CLI)
    return()
  endif()
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "ARGS")
  find_package(nlohmann_json 3.11 REQUIRED)
  add_executable(${name} ${arg_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE test_base nlohmann_json::nlohmann_json)
  vmsa_compile_quickly(${name})
  add_test(NAME ${name} COMMAND ${name} $<TARGET_FILE:vmsa_cli> ${arg_ARGS} --gtest_brief=1)
  add_dependencies(${name} vmsa_cli)
  vmsa_begin_early(${name})
  vmsa_label(${name} ${name})
endfunction()

# vmsa_add_cli_test(NAME [ARGS arg...] [EXIT code] [STDOUT regex...] [STDERR regex...] [STDIN file] [LABELS label...]):
# runs the built command; EXIT defaults to 0, every regex must match, and without STDERR nothing may be written there.
function(vmsa_add_cli_test name)
  if(NOT VMSA_BUILD_CLI)
    return()
  endif()
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "EXIT;STDIN" "ARGS;STDOUT;STDERR;LABELS")
  if(NOT DEFINED arg_EXIT)
    set(arg_EXIT 0)
  endif()
  # Lists go through a file, so that no character of a regex or an argument needs quoting twice.
  set(script ${CMAKE_CURRENT_BINARY_DIR}/cli/${name}.cmake)
  set(text "set(exit [==[${arg_EXIT}]==])\nset(stdin [==[${arg_STDIN}]==])\n")
  foreach(list IN ITEMS ARGS STDOUT STDERR)
    string(TOLOWER ${list} variable)
    string(APPEND text "set(${variable}")
    foreach(item IN LISTS arg_${list})
      string(APPEND text " [==[${item}]==]")
    endforeach()
    string(APPEND text ")\n")
  endforeach()
  file(CONFIGURE OUTPUT ${script} CONTENT "@text@" @ONLY)
  add_test(NAME cli.${name}
           COMMAND ${CMAKE_COMMAND} -Dvmsa=$<TARGET_FILE:vmsa_cli> -Dcase=${script}
                   -P ${PROJECT_SOURCE_DIR}/tests/run_cli.cmake)
  vmsa_label(cli.${name} vmsa_cli ${arg_LABELS})
endfunction()

# vmsa_add_fuzzer(NAME SOURCE... [SECONDS n]): a libFuzzer target, built where VMSA_FUZZ is on (the preset
# asan-ubsan), which runs for VMSA_FUZZ_SECONDS, and for SECONDS at the least. What it tries follows from VMSA_FUZZ_SEED,
# so that a failure comes again and is the change's own; a hunt takes long, and seed 0.
# tests/fuzz/corpus/NAME holds its seeds, where there are any.
function(vmsa_add_fuzzer name)
  if(NOT VMSA_FUZZ)
    return()
  endif()
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "SECONDS" "")
  set(seconds ${VMSA_FUZZ_SECONDS})
  if(DEFINED arg_SECONDS AND seconds LESS arg_SECONDS)
    set(seconds ${arg_SECONDS})
  endif()
  add_executable(${name} ${arg_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE vmsa::text)
  target_compile_options(${name} PRIVATE -fsanitize=fuzzer-no-link)
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  set(found ${CMAKE_CURRENT_BINARY_DIR}/corpus/${name})
  file(MAKE_DIRECTORY ${found})
  set(seeds ${PROJECT_SOURCE_DIR}/tests/fuzz/corpus/${name})
  if(NOT IS_DIRECTORY ${seeds})
    set(seeds)
  endif()
  add_test(NAME fuzz.${name} COMMAND ${name} -seed=${VMSA_FUZZ_SEED} -max_total_time=${seconds} -timeout=10
                                     -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix=${found}- ${found} ${seeds})
  vmsa_label(fuzz.${name} ${name} fuzz)
endfunction()
