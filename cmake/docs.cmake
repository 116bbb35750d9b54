# SPDX-License-Identifier: MIT
# The target `docs`: HTML of every public header in build/<preset>/docs, from the comments that begin with `///`. Where
# Doxygen takes a comment for something else than it says, that is an error.
find_package(Doxygen QUIET)
if(DOXYGEN_FOUND)
  set(DOXYGEN_PROJECT_NAME vmsa)
  set(DOXYGEN_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/docs)
  set(DOXYGEN_STRIP_FROM_INC_PATH ${PROJECT_SOURCE_DIR}/include)
  set(DOXYGEN_FILE_PATTERNS *.hpp *.h)
  set(DOXYGEN_JAVADOC_AUTOBRIEF YES)
  set(DOXYGEN_EXCLUDE_SYMBOLS *::detail detail)
  set(DOXYGEN_HAVE_DOT NO)
  set(DOXYGEN_WARN_IF_UNDOCUMENTED NO)
  set(DOXYGEN_WARN_AS_ERROR FAIL_ON_WARNINGS)
  set(DOXYGEN_QUIET YES)
  doxygen_add_docs(docs ${PROJECT_SOURCE_DIR}/include/vmsa)
else()
  add_custom_target(docs COMMAND ${CMAKE_COMMAND} -E echo "the target docs needs Doxygen: apt-get install doxygen"
                    COMMAND ${CMAKE_COMMAND} -E false)
endif()
