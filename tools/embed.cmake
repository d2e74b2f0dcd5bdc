# Starters of policies into C: cmake -DOUT=FILE -DFOLDER=DIR -DNAMES=a,b -P
# embed.cmake. Each NAME is FOLDER/NAME.policy.json and NAME.tests.json.

string(REPLACE "," ";" NAMES "${NAMES}")
set(arrays "")
set(rows "")
set(number 0)
foreach(name ${NAMES})
  foreach(part policy tests)
    file(READ ${FOLDER}/${name}.${part}.json hex HEX)
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
    string(APPEND arrays
      "static const unsigned char ${part}_${number}[] = {${bytes}};\n")
  endforeach()
  string(APPEND rows "    {\"${name}\", policy_${number},\n"
    "\tsizeof policy_${number}, tests_${number}, sizeof tests_${number}},\n")
  math(EXPR number "${number} + 1")
endforeach()
file(WRITE ${OUT} "/* Made by tools/embed.cmake. */\n"
  "#include \"executor/starter.h\"\n\n${arrays}\n"
  "const struct starter starters[] = {\n${rows}};\n"
  "const size_t starter_count = ${number};\n")
