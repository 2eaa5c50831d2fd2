# -DIN=file -DOUT=file.c -DNAME=symbol: the bytes of a file as `const unsigned char NAME[]` and `const size_t NAME_n`.
file(READ ${IN} hex HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
file(WRITE ${OUT} "#include <stddef.h>\nextern const unsigned char ${NAME}[];\nextern const size_t ${NAME}_n;\nconst unsigned char ${NAME}[] = {${bytes}0};\nconst size_t ${NAME}_n = sizeof(${NAME}) - 1;\n")
