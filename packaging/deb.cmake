# cpack -G DEB: a package for the Debian that it was built on.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME lunfs)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "The lunfs project <lunfs@example.com>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "disks of an iSCSI LUN (XenServer, XCP-ng, LVM) as files")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
    "One FUSE daemon logs in to an iSCSI target, reads the LVM metadata of a LUN and
shows every virtual disk as a file: raw ones to be read and written, chains of
VHDs to be read. It needs neither the kernel's initiator nor device-mapper nor root.")
# With a DESTDIR, so that what is written at installation knows its final place.
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)  # by dpkg-dev
set(CPACK_DEBIAN_PACKAGE_DEPENDS fuse3)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
    ${CMAKE_CURRENT_SOURCE_DIR}/deb/postinst
    ${CMAKE_CURRENT_SOURCE_DIR}/deb/prerm
    ${CMAKE_CURRENT_SOURCE_DIR}/deb/postrm)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
include(CPack)
