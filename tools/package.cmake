# Debian's package, by the preset "package": its target of that name makes
# build/package/trizone_*.deb, the same bytes each time.

file(STRINGS vm/deb/changelog first LIMIT_COUNT 1)
string(REGEX MATCH "^trizone \\((([^-]+)-([^)]+))\\)" matched "${first}")
set(deb_release "${CMAKE_MATCH_3}")
if(NOT CMAKE_MATCH_2 STREQUAL PROJECT_VERSION)
  message(FATAL_ERROR "vm/deb/changelog is not of ${PROJECT_VERSION}")
endif()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME trizone)
set(CPACK_PACKAGE_VENDOR "the trizone authors")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY
  "three-zone broker suite for autonomous agents")
set(CPACK_PACKAGE_CONTACT "The trizone authors <trizone@localhost>")
set(CPACK_PACKAGING_INSTALL_PREFIX ${CMAKE_INSTALL_PREFIX})
set(CPACK_STRIP_FILES ON)
set(CPACK_OUTPUT_FILE_PREFIX ${CMAKE_BINARY_DIR})
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE
  OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE "${deb_release}")
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
  "An agent that reads other people's words and acts with somebody's
credentials is split over three zones: an executor with the rights, a
planner that may only ask, and a reader of hostile mail that has nothing.
Every call is decided by policy and on record before it happens.
.
Nothing is started before there is a configuration: trizone-executor init.")
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# accounts and folders are made by these; keys by age, firewalls by the others
set(CPACK_DEBIAN_PACKAGE_DEPENDS
  "systemd | systemd-standalone-sysusers | systemd-sysusers")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "age | rage")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS
  "nftables | iptables, qemu-system-x86 | qemu-system-arm, podman, logrotate, apparmor, default-mta | mail-transport-agent")
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${CMAKE_SOURCE_DIR}/vm/deb/postinst
  ${CMAKE_SOURCE_DIR}/vm/deb/prerm ${CMAKE_SOURCE_DIR}/vm/deb/postrm
  ${CMAKE_BINARY_DIR}/deb/conffiles)
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_SOURCE_DIR}/vm/deb/stage.cmake)
set(CPACK_POST_BUILD_SCRIPTS ${CMAKE_SOURCE_DIR}/vm/deb/finish.cmake)
set(CPACK_TRIZONE_SOURCE ${CMAKE_SOURCE_DIR})

# what dpkg asks about before it puts another one in its place
set(conffiles /etc/logrotate.d/trizone)
foreach(name executor planner reader)
  list(APPEND conffiles /etc/apparmor.d/trizone-${name})
endforeach()
list(JOIN conffiles "\n" conffiles)
file(WRITE ${CMAKE_BINARY_DIR}/deb/conffiles "${conffiles}\n")

include(CPack)
