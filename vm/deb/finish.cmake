# After CPack has packed: the three members of the package get the same mode,
# whatever mask it was made under.
cmake_minimum_required(VERSION 3.20)

set(members "debian-binary   \\|control\\.tar\\.gz  \\|data\\.tar\\.xz     ")
foreach(package ${CPACK_PACKAGE_FILES})
  execute_process(COMMAND ${CMAKE_COMMAND} -E env LC_ALL=C sed -i
    "s/\\(${members}\\)\\([0-9 ]\\{12\\}0     0     \\)100[0-7]\\{3\\}  /\\1\\2100644  /"
    ${package} RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "sed ${package}: ${status}")
  endif()
endforeach()
