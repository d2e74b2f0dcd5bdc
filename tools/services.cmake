# What starts the programs: files for the system's service manager, with the
# places that the programs are installed in. Templates name /usr/bin/trizone-*,
# /usr/lib/trizone and /usr/share/trizone, on macOS the same in /usr/local. What
# the system reads of /etc is there whatever the prefix is.

set(manager none)
if(PLATFORM STREQUAL macos)
  set(manager launchd)
elseif(EXISTS /sbin/openrc-run)
  set(manager openrc)
else()
  set(manager systemd)
endif()
set(TRIZONE_SERVICES ${manager} CACHE STRING
  "whose files are installed: systemd, openrc, launchd, none")

# Reloads that systemd waits for by itself came with 253.
set(version 0)
find_program(SYSTEMCTL systemctl)
if(SYSTEMCTL)
  execute_process(COMMAND ${SYSTEMCTL} --version OUTPUT_VARIABLE text
    ERROR_QUIET)
  if(text MATCHES "systemd ([0-9]+)")
    set(version ${CMAKE_MATCH_1})
  endif()
endif()
set(TRIZONE_SYSTEMD ${version} CACHE STRING
  "systemd that the units are for, by its number; 0: any")

set(LIBEXEC ${CMAKE_INSTALL_PREFIX}/lib/trizone)

# from SOURCE below vm/ to a file of that name in DESTINATION
function(service_file source destination)
  cmake_parse_arguments(S "PROGRAM" "" "" ${ARGN})
  set(path ${CMAKE_SOURCE_DIR}/vm/${source})
  set_property(DIRECTORY ${CMAKE_SOURCE_DIR} APPEND PROPERTY
    CMAKE_CONFIGURE_DEPENDS ${path})
  file(READ ${path} text)
  string(REGEX REPLACE "/usr(/local)?/bin/trizone-"
    "${CMAKE_INSTALL_FULL_BINDIR}/trizone-" text "${text}")
  string(REGEX REPLACE "/usr(/local)?/lib/trizone/" "${LIBEXEC}/" text
    "${text}")
  string(REGEX REPLACE "/usr(/local)?/share/trizone/"
    "${CMAKE_INSTALL_FULL_DATADIR}/trizone/" text "${text}")
  if(TRIZONE_SYSTEMD GREATER_EQUAL 253)
    string(REPLACE "\nType=notify\n" "\nType=notify-reload\n" text "${text}")
    string(REPLACE "\nExecReload=kill -HUP $MAINPID\n" "\n" text "${text}")
  endif()
  set(made ${CMAKE_BINARY_DIR}/services/${source})
  file(WRITE ${made} "${text}")
  if(S_PROGRAM)
    install(PROGRAMS ${made} DESTINATION ${destination} COMPONENT services)
  else()
    install(FILES ${made} DESTINATION ${destination} COMPONENT services)
  endif()
endfunction()

if(TRIZONE_SERVICES STREQUAL systemd)
  foreach(unit trizone-executor.service trizone-planner.service
      trizone-reader-mail.service trizone-firewall.service
      trizone-agent@.service trizone-zone@.service trizone-zone@.socket
      trizone-operator.socket trizone-deliver.socket trizone-eval.service
      trizone-eval.timer)
    service_file(systemd/${unit} lib/systemd/system)
  endforeach()
  install(FILES vm/sysusers/trizone.conf DESTINATION lib/sysusers.d
    COMPONENT services)
  install(FILES vm/tmpfiles/trizone.conf DESTINATION lib/tmpfiles.d
    COMPONENT services)
elseif(TRIZONE_SERVICES STREQUAL openrc)
  foreach(name trizone-executor trizone-zone trizone-firewall)
    service_file(openrc/${name} /etc/init.d
      PROGRAM)
  endforeach()
  set(weekly cron.weekly)
  if(EXISTS /etc/periodic/weekly)
    set(weekly periodic/weekly)
  endif()
  service_file(openrc/trizone-eval
    /etc/${weekly} PROGRAM)
elseif(TRIZONE_SERVICES STREQUAL launchd)
  foreach(name executor firewall eval)
    service_file(launchd/trizone.${name}.plist /Library/LaunchDaemons)
  endforeach()
  # to be copied and named by hand, for an account or a zone
  foreach(name agent zone)
    service_file(launchd/trizone.${name}.plist
      ${CMAKE_INSTALL_DATADIR}/trizone/launchd)
  endforeach()
  install(FILES vm/newsyslog/trizone.conf DESTINATION /etc/newsyslog.d
    COMPONENT services)
endif()
if(TRIZONE_SERVICES MATCHES "^(systemd|openrc)$")
  install(FILES vm/logrotate/trizone
    DESTINATION /etc/logrotate.d
    COMPONENT services)
endif()

if(NOT TRIZONE_SERVICES STREQUAL none)
  install(PROGRAMS vm/eval DESTINATION lib/trizone COMPONENT services)
endif()
if(PLATFORM STREQUAL linux)
  install(FILES vm/agent/resolv.conf vm/agent/nsswitch.conf
    vm/agent/executor.conf
    DESTINATION ${CMAKE_INSTALL_DATADIR}/trizone/agent)
endif()
# zones: the frontend, its providers and what they need
file(GLOB devices ${CMAKE_SOURCE_DIR}/vm/devices.*)
install(FILES ${devices} DESTINATION lib/trizone/vm)
set(parts "")
foreach(part zone files image provider container kubernetes orb)
  list(APPEND parts ${CMAKE_SOURCE_DIR}/vm/${part})
endforeach()
foreach(part ${parts})
  if(IS_DIRECTORY ${part})
    install(DIRECTORY ${part} DESTINATION lib/trizone/vm
      USE_SOURCE_PERMISSIONS)
  elseif(EXISTS ${part})
    install(PROGRAMS ${part} DESTINATION lib/trizone/vm)
  endif()
endforeach()
