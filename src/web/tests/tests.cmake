# SPDX-License-Identifier: MIT
# Tests of the page, label web. The native command that the module is compared with comes from another build.
set(VMSA_NATIVE ${PROJECT_SOURCE_DIR}/build/dev/bin/vmsa CACHE FILEPATH "The native command of the same tree")
find_program(VMSA_NODE NAMES nodejs node)
find_program(VMSA_CHROMIUM NAMES chromium)
if(VMSA_NODE)
  set(web_tests ${CMAKE_CURRENT_LIST_DIR})
  set(web_file ${PROJECT_BINARY_DIR}/vmsa.html)
  add_test(NAME web.compare COMMAND ${VMSA_NODE} ${web_tests}/compare.js $<TARGET_FILE:vmsa_cli> ${VMSA_NATIVE}
                                    ${PROJECT_SOURCE_DIR})
  add_test(NAME web.repairs COMMAND ${VMSA_NODE} ${web_tests}/repairs.js ${VMSA_NATIVE} ${PROJECT_SOURCE_DIR})
  add_test(NAME web.unpack COMMAND ${VMSA_NODE} ${web_tests}/unpack.js ${Python3_EXECUTABLE} $<TARGET_FILE:vmsa_cli>
                                   ${web_file})
  # It says so and is skipped where no Chromium starts.
  add_test(NAME web.page COMMAND ${VMSA_NODE} ${web_tests}/page.js ${web_file} ${PROJECT_SOURCE_DIR}
                                 ${PROJECT_BINARY_DIR}/pictures ${VMSA_CHROMIUM})
  set_tests_properties(web.compare web.repairs web.unpack web.page PROPERTIES LABELS web)
  set_tests_properties(web.page PROPERTIES TIMEOUT 900 SKIP_RETURN_CODE 77 RUN_SERIAL ON)
endif()
