# What is installed where, and the Debian package: (cd build/release && cpack -G DEB). Its unit is docs/consilium.service, its scripts
# are in cmake/package; tests/interop/package.sh installs it.
include(GNUInstallDirs)
install(TARGETS consilium consilium-decoder consilium-dicom consilium-dicom-listener consilium-printer consilium-painter consilium-unpacker consilium-ecg consilium-demo-slide consilium-demo-dicom consilium-demo-ecg RUNTIME)
install(DIRECTORY viewer/web/dist/ DESTINATION ${CMAKE_INSTALL_DATADIR}/consilium/web OPTIONAL)
install(FILES docs/consilium.service DESTINATION lib/systemd/system)
install(FILES cmake/package/consilium.ini DESTINATION /etc/consilium)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME consilium)
set(CPACK_PACKAGE_CONTACT "The maintainers of Consilium <maintainers@consilium.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "remote consultation: video rooms, slides, reports")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# programs that are started, and fonts that reports are printed in
set(CPACK_DEBIAN_PACKAGE_DEPENDS
    "adduser, libreoffice-writer-nogui, libreoffice-calc-nogui, libreoffice-impress-nogui, poppler-utils, libgdk-pixbuf2.0-bin, fonts-noto-cjk, fonts-noto-core")
set(package ${CMAKE_SOURCE_DIR}/cmake/package)
file(WRITE ${CMAKE_BINARY_DIR}/conffiles "/etc/consilium/consilium.ini\n")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
    ${package}/postinst ${package}/prerm ${package}/postrm ${CMAKE_BINARY_DIR}/conffiles)
include(CPack)
