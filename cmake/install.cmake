# SPDX-License-Identifier: MIT
# Install, package config, pkg-config and the Debian package. Nothing here names a prefix: every file finds the others
# from its own place, so that an unpacked package works wherever it lies.
# Where Debian's linker, pkg-config and CMake look first, and what a package of more than one architecture needs.
if(CMAKE_LIBRARY_ARCHITECTURE AND NOT DEFINED CMAKE_INSTALL_LIBDIR)
  set(CMAKE_INSTALL_LIBDIR lib/${CMAKE_LIBRARY_ARCHITECTURE} CACHE PATH "Where libraries go, from the prefix")
endif()
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/vmsa)
install(FILES include/vmsa/version.hpp DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/vmsa)
install(DIRECTORY include/vmsa/arch include/vmsa/mmu include/vmsa/policy
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/vmsa FILES_MATCHING PATTERN *.hpp)
install(DIRECTORY include/vmsa/c DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/vmsa FILES_MATCHING PATTERN *.h)
# Declarations and wrappers for Rust, which a program takes as a module of its own.
install(FILES tests/consumer/rust/vmsa.rs DESTINATION ${CMAKE_INSTALL_DATADIR}/vmsa)
install(TARGETS vmsa_core vmsa_c EXPORT vmsa-core ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT vmsa-core NAMESPACE vmsa:: DESTINATION ${package_dir})

configure_package_config_file(cmake/vmsa-config.cmake.in vmsa-config.cmake INSTALL_DESTINATION ${package_dir}
                              NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(vmsa-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/vmsa-config.cmake ${PROJECT_BINARY_DIR}/vmsa-config-version.cmake
        DESTINATION ${package_dir})

string(REGEX REPLACE "[^/]+" ".." prefix_from_pc ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
configure_file(cmake/vmsa-core.pc.in vmsa-core.pc @ONLY)
configure_file(cmake/vmsa-c.pc.in vmsa-c.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/vmsa-core.pc ${PROJECT_BINARY_DIR}/vmsa-c.pc
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

if(NOT VMSA_CORE_ONLY)
  install(DIRECTORY include/vmsa/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/vmsa FILES_MATCHING PATTERN *.hpp)
  install(TARGETS vmsa_sim vmsa_text EXPORT vmsa-hosted ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(EXPORT vmsa-hosted NAMESPACE vmsa:: DESTINATION ${package_dir})
  if(TARGET vmsa_testing)
    install(TARGETS vmsa_testing EXPORT vmsa-testing ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
    install(EXPORT vmsa-testing NAMESPACE vmsa:: DESTINATION ${package_dir})
    configure_file(cmake/vmsa-testing.pc.in vmsa-testing.pc @ONLY)
    install(FILES ${PROJECT_BINARY_DIR}/vmsa-testing.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
  endif()
  set(vmsa_pc_libraries "")
  foreach(layer IN ITEMS text sim)
    get_target_property(type vmsa_${layer} TYPE)
    if(type STREQUAL "STATIC_LIBRARY")
      string(APPEND vmsa_pc_libraries "-lvmsa_${layer} ")
    endif()
  endforeach()
  configure_file(cmake/vmsa.pc.in vmsa.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/vmsa.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
  if(VMSA_BUILD_CLI)
    install(TARGETS vmsa_cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
    install(FILES cmake/notices.txt DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME NOTICES)
    if(TARGET vmsa_command_files)
      install(FILES ${PROJECT_BINARY_DIR}/src/vmsa.1.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
      install(FILES ${PROJECT_BINARY_DIR}/src/vmsa.bash
              DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/bash-completion/completions RENAME vmsa)
      install(FILES ${PROJECT_BINARY_DIR}/src/_vmsa DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/zsh/vendor-completions)
    endif()
  endif()
endif()
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME copyright)

set(CPACK_PACKAGE_NAME vmsa)
set(CPACK_PACKAGE_VENDOR vmsa)
set(CPACK_PACKAGE_CONTACT "vmsa maintainers <maintainers@vmsa.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY ${PROJECT_DESCRIPTION})
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION devel)
# The command needs what dpkg-shlibdeps finds; the core headers need nothing; only the hosted libraries need these.
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "libboost-dev, libfmt-dev, zlib1g-dev")
include(CPack)
