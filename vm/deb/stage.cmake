# Before CPack packs what was installed: what Debian wants besides, and times
# that do not depend on when it is done.
cmake_minimum_required(VERSION 3.20)

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${ARGN}: ${status}")
  endif()
endfunction()

# a text of ours or others in the form that debian/copyright wants
function(licence_text file out)
  file(READ ${file} text)
  string(REGEX REPLACE "[ \n]+$" "" text "${text}")
  string(REPLACE "\n" "\n " text " ${text}")
  string(REPLACE "\n \n" "\n .\n" text "${text}")
  set(${out} "${text}" PARENT_SCOPE)
endfunction()

function(write_copyright)
  licence_text(${from}/LICENSE ours)
  licence_text(${from}/docs/LICENSE-unicode unicode)
  file(WRITE ${doc}/copyright
"Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: trizone

Files: *
Copyright: 2026 the trizone authors
License: ISC

Files: executor/idn.def reader/confusable.def
Copyright: 2001-2024 Unicode, Inc.
License: Unicode-3.0

License: ISC
${ours}

License: Unicode-3.0
${unicode}
")
endfunction()

set(root ${CPACK_TEMPORARY_INSTALL_DIRECTORY})
set(doc ${root}/usr/share/doc/trizone)
set(from ${CPACK_TRIZONE_SOURCE})

file(GLOB pages ${root}/usr/share/man/man*/*.[1-9])
foreach(page ${pages})
  run(gzip -9n ${page})
endforeach()
file(MAKE_DIRECTORY ${doc} ${root}/usr/share/lintian/overrides)
write_copyright()
configure_file(${from}/vm/deb/changelog ${doc}/changelog.Debian COPYONLY)
configure_file(${from}/CHANGES.md ${doc}/changelog COPYONLY)
run(gzip -9n ${doc}/changelog.Debian ${doc}/changelog)
configure_file(${from}/vm/deb/lintian-overrides
  ${root}/usr/share/lintian/overrides/trizone COPYONLY)
run(find ${root} -type f ! -perm -100 -exec chmod 644 {} +)
run(find ${root} -type f -perm -100 -exec chmod 755 {} +)
run(find ${root} -type d -exec chmod 755 {} +)

# the time of the newest entry, where nobody says another
if(NOT "$ENV{SOURCE_DATE_EPOCH}" STREQUAL "")
  set(time $ENV{SOURCE_DATE_EPOCH})
else()
  file(STRINGS ${from}/vm/deb/changelog signed REGEX "^ -- .*>  " LIMIT_COUNT 1)
  string(REGEX REPLACE "^ -- .*>  " "" signed "${signed}")
  execute_process(COMMAND date -u -d ${signed} +%s OUTPUT_VARIABLE time
    OUTPUT_STRIP_TRAILING_WHITESPACE)
endif()
if(NOT time MATCHES "^[0-9]+$")
  message(FATAL_ERROR "the time of the package: ${time}")
endif()
set(ENV{SOURCE_DATE_EPOCH} ${time})
run(find ${root} -exec touch -h -d @${time} {} +)
