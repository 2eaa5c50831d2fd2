# Turns storage/migrations/*.sql into one C file: the program carries its own schema.
file(GLOB CN_MIGRATION_FILES CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/storage/migrations/*.sql)
set(CN_MIGRATIONS_C ${CMAKE_BINARY_DIR}/generated/migrations_embedded.c)
add_custom_command(OUTPUT ${CN_MIGRATIONS_C}
  COMMAND ${CMAKE_COMMAND} -DOUT=${CN_MIGRATIONS_C} "-DFILES=${CN_MIGRATION_FILES}" -P ${CMAKE_SOURCE_DIR}/cmake/EmbedSql.cmake
  DEPENDS ${CN_MIGRATION_FILES} ${CMAKE_SOURCE_DIR}/cmake/EmbedSql.cmake VERBATIM)
