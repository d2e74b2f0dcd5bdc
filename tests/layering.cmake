# common <- proto <- {executor, planner, reader}: fails on an include that
# points the wrong way, and on libraries seen by more files than may see them.
cmake_minimum_required(VERSION 3.20)
set(may_include_common common)
set(may_include_proto common proto)
set(may_include_executor common proto executor)
set(may_include_planner common proto planner)
set(may_include_reader common proto reader)

set(bad "")
foreach(folder common proto executor planner reader)
  file(GLOB files ${ROOT}/${folder}/*.c ${ROOT}/${folder}/*.h
    ${ROOT}/${folder}/*.def)
  if(NOT files)
    message(FATAL_ERROR "no files in ${folder}: wrong ROOT?")
  endif()
  foreach(file ${files})
    file(STRINGS ${file} includes REGEX "^#include \"")
    foreach(line ${includes})
      string(REGEX REPLACE "^#include \"([^/\"]*).*" "\\1" from "${line}")
      if(NOT from IN_LIST may_include_${folder})
        string(APPEND bad "${file}: ${line}\n")
      endif()
    endforeach()
  endforeach()
endforeach()

# the firewall is below the rest of the executor
file(GLOB files ${ROOT}/executor/firewall/*.[ch])
foreach(file ${files})
  file(STRINGS ${file} includes REGEX "^#include \"")
  foreach(line ${includes})
    if(NOT line MATCHES "\"(common|proto|executor/firewall)/")
      string(APPEND bad "${file}: ${line}\n")
    endif()
  endforeach()
endforeach()

# header -> the one file that may include it
set(owners
  "event2/event.h=proto/loop.c"
  "sqlite3.h=executor/inbox_db.h"
  "pcre2.h=executor/pattern.c"
  "jansson.h=nobody"
  "linux/landlock.h=common/landlock_linux.c"
  "seccomp.h=common/call_list_linux.c"
  "linux/capability.h=common/privilege_linux.c"
  "libmnl/libmnl.h=executor/firewall/netlink_linux.c"
  "event2/dns.h=executor/firewall/lookup_linux.c")
foreach(owner ${owners})
  string(REPLACE "=" ";" pair ${owner})
  list(GET pair 0 header)
  list(GET pair 1 allowed)
  file(GLOB files ${ROOT}/common/*.[ch] ${ROOT}/proto/*.[ch]
    ${ROOT}/executor/*.[ch] ${ROOT}/executor/firewall/*.[ch]
    ${ROOT}/planner/*.[ch] ${ROOT}/reader/*.[ch])
  foreach(file ${files})
    file(STRINGS ${file} includes REGEX "^#include <${header}>")
    if(includes AND NOT file STREQUAL "${ROOT}/${allowed}")
      string(APPEND bad "${file} includes ${header}; only ${allowed} may\n")
    endif()
  endforeach()
endforeach()

if(bad)
  message(FATAL_ERROR "forbidden includes:\n${bad}")
endif()
