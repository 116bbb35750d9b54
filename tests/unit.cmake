# SPDX-License-Identifier: MIT
# tests/unit mirrors include/vmsa: <layer>/<path>_test.cpp tests vmsa/<layer>/<path>.hpp, and the tests of a layer are one
# program, unit_<layer>.
file(GLOB_RECURSE unit_tests CONFIGURE_DEPENDS RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} unit/*_test.cpp)
set(unit_layers "")
foreach(test IN LISTS unit_tests)
  string(REGEX REPLACE "^unit/([a-z]+)/.*" "\\1" layer ${test})
  list(APPEND unit_layers ${layer})
  list(APPEND unit_${layer} ${test})
endforeach()
list(REMOVE_DUPLICATES unit_layers)
# All of them and nothing else: what the preset gcc-ubsan builds.
add_custom_target(tests_unit)
foreach(layer IN LISTS unit_layers)
  set(libraries "")
  if(layer STREQUAL "c")
    set(libraries vmsa::c)
  endif()
  set(core "")
  if(layer MATCHES "^(arch|mmu|policy)$")
    set(core CORE)
  endif()
  vmsa_add_test(unit_${layer} ${unit_${layer}} LIBRARIES ${libraries} ${core})
  # Headers cost most of the time of a test, so several are compiled as one; each stands in a namespace of its own.
  set_target_properties(unit_${layer} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 8)
  add_dependencies(tests_unit unit_${layer})
endforeach()
