# SPDX-License-Identifier: MIT
# Tests of the page, label web. The native command that the module is compared with comes from another build.
set(VMSA_NATIVE ${PROJECT_SOURCE_DIR}/build/dev/bin/vmsa CACHE FILEPATH "The native command of the same tree")
find_program(VMSA_NODE NAMES nodejs node)
find_program(VMSA_CHROMIUM NAMES chromium)
if(VMSA_NODE)
  add_test(NAME web.compare COMMAND ${VMSA_NODE} ${CMAKE_CURRENT_LIST_DIR}/compare.js $<TARGET_FILE:vmsa_cli> ${VMSA_NATIVE}
                                    ${PROJECT_SOURCE_DIR})
  add_test(NAME web.repairs COMMAND ${VMSA_NODE} ${CMAKE_CURRENT_LIST_DIR}/repairs.js ${VMSA_NATIVE} ${PROJECT_SOURCE_DIR})
  add_test(NAME web.unpack COMMAND ${VMSA_NODE} ${CMAKE_CURRENT_LIST_DIR}/unpack.js ${Python3_EXECUTABLE}
                                   $<TARGET_FILE:vmsa_cli> ${PROJECT_BINARY_DIR}/vmsa.html)
  set_tests_properties(web.compare web.repairs web.unpack PROPERTIES LABELS web)
endif()
if(VMSA_NODE AND VMSA_CHROMIUM)
  add_test(NAME web.page COMMAND ${VMSA_NODE} ${CMAKE_CURRENT_LIST_DIR}/page.js ${PROJECT_BINARY_DIR}/vmsa.html
                                 ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/pictures ${VMSA_CHROMIUM})
  set_tests_properties(web.page PROPERTIES LABELS web TIMEOUT 900)
endif()
