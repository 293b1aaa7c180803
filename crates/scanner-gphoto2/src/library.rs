//! The functions of libgphoto2 that are used here, as its headers (2.5) declare them. What is only ever held by a pointer has no
//! inside.
#![expect(unsafe_code, reason = "libgphoto2 is a C library")]

use std::ffi::{c_char, c_float, c_int, c_ulong, c_void};

macro_rules! opaque {
    ($($name:ident),*) => { $(
        #[repr(C)]
        #[derive(Debug)]
        pub(crate) struct $name {
            _inside: [u8; 0],
        }
    )* };
}

opaque!(AbilitiesList, Camera, CameraFile, CameraList, CameraWidget, Context, Port, PortInfo, PortInfoList);

/// `CameraAbilities`: what a model can do. Only ever handed on.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Abilities {
    _all: [c_int; 626],
}

/// `CameraFilePath`: where a file is in a camera.
#[repr(C)]
pub(crate) struct FilePath {
    pub(crate) name: [c_char; 128],
    pub(crate) folder: [c_char; 1024],
}

/// `CameraStorageInformation`: a card, or another place in which a camera keeps files.
#[repr(C)]
pub(crate) struct Storage {
    pub(crate) fields: c_int,
    _names: [[c_char; 256]; 3],
    _kinds: [c_int; 3],
    _capacity_kb: u64,
    pub(crate) free_kb: u64,
    _free_images: u64,
}

/// `GP_STORAGEINFO_FREESPACEKBYTES`: `free_kb` is known.
pub(crate) const STORAGE_FREE: c_int = 1 << 7;

/// Tells of an error, for people.
pub(crate) type ErrorFunc = extern "C" fn(*mut Context, *const c_char, *mut c_void);

/// `GP_FILE_TYPE_NORMAL`.
pub(crate) const NORMAL: c_int = 1;

/// `CameraEventType`, of which the others are of no concern.
pub(crate) const EVENT_TIMEOUT: c_int = 1;
pub(crate) const EVENT_FILE_ADDED: c_int = 2;
pub(crate) const EVENT_CAPTURE_COMPLETE: c_int = 4;

/// `CameraWidgetType`, as far as a setting can be one.
pub(crate) const WIDGET_TEXT: c_int = 2;
pub(crate) const WIDGET_RANGE: c_int = 3;
pub(crate) const WIDGET_TOGGLE: c_int = 4;
pub(crate) const WIDGET_RADIO: c_int = 5;
pub(crate) const WIDGET_MENU: c_int = 6;

/// The value of a `GP_WIDGET_RANGE`.
pub(crate) type Range = c_float;

#[link(name = "gphoto2")]
unsafe extern "C" {
    pub(crate) fn gp_context_new() -> *mut Context;
    pub(crate) fn gp_context_unref(context: *mut Context);
    pub(crate) fn gp_context_set_error_func(
        context: *mut Context,
        func: Option<ErrorFunc>,
        data: *mut c_void,
    );

    pub(crate) fn gp_list_new(list: *mut *mut CameraList) -> c_int;
    pub(crate) fn gp_list_free(list: *mut CameraList) -> c_int;
    pub(crate) fn gp_list_count(list: *mut CameraList) -> c_int;
    pub(crate) fn gp_list_get_name(list: *mut CameraList, index: c_int, name: *mut *const c_char) -> c_int;
    pub(crate) fn gp_list_get_value(list: *mut CameraList, index: c_int, value: *mut *const c_char) -> c_int;

    pub(crate) fn gp_camera_autodetect(list: *mut CameraList, context: *mut Context) -> c_int;
    pub(crate) fn gp_camera_new(camera: *mut *mut Camera) -> c_int;
    pub(crate) fn gp_camera_set_port_info(camera: *mut Camera, info: *mut PortInfo) -> c_int;
    pub(crate) fn gp_abilities_list_new(list: *mut *mut AbilitiesList) -> c_int;
    pub(crate) fn gp_abilities_list_free(list: *mut AbilitiesList) -> c_int;
    pub(crate) fn gp_abilities_list_load(list: *mut AbilitiesList, context: *mut Context) -> c_int;
    pub(crate) fn gp_abilities_list_lookup_model(list: *mut AbilitiesList, model: *const c_char) -> c_int;
    pub(crate) fn gp_abilities_list_get_abilities(
        list: *mut AbilitiesList,
        index: c_int,
        abilities: *mut Abilities,
    ) -> c_int;
    pub(crate) fn gp_camera_set_abilities(camera: *mut Camera, abilities: Abilities) -> c_int;
    pub(crate) fn gp_camera_init(camera: *mut Camera, context: *mut Context) -> c_int;
    pub(crate) fn gp_camera_exit(camera: *mut Camera, context: *mut Context) -> c_int;
    pub(crate) fn gp_camera_unref(camera: *mut Camera) -> c_int;
    pub(crate) fn gp_camera_trigger_capture(camera: *mut Camera, context: *mut Context) -> c_int;
    pub(crate) fn gp_camera_wait_for_event(
        camera: *mut Camera,
        timeout: c_int,
        event: *mut c_int,
        data: *mut *mut c_void,
        context: *mut Context,
    ) -> c_int;
    pub(crate) fn gp_camera_capture_preview(
        camera: *mut Camera,
        to: *mut CameraFile,
        context: *mut Context,
    ) -> c_int;
    pub(crate) fn gp_camera_file_read(
        camera: *mut Camera,
        folder: *const c_char,
        file: *const c_char,
        kind: c_int,
        offset: u64,
        to: *mut c_char,
        size: *mut u64,
        context: *mut Context,
    ) -> c_int;
    pub(crate) fn gp_camera_file_get(
        camera: *mut Camera,
        folder: *const c_char,
        file: *const c_char,
        kind: c_int,
        to: *mut CameraFile,
        context: *mut Context,
    ) -> c_int;
    pub(crate) fn gp_camera_file_delete(
        camera: *mut Camera,
        folder: *const c_char,
        file: *const c_char,
        context: *mut Context,
    ) -> c_int;
    pub(crate) fn gp_camera_get_single_config(
        camera: *mut Camera,
        name: *const c_char,
        widget: *mut *mut CameraWidget,
        context: *mut Context,
    ) -> c_int;
    pub(crate) fn gp_camera_set_single_config(
        camera: *mut Camera,
        name: *const c_char,
        widget: *mut CameraWidget,
        context: *mut Context,
    ) -> c_int;

    pub(crate) fn gp_camera_get_storageinfo(
        camera: *mut Camera,
        storages: *mut *mut Storage,
        count: *mut c_int,
        context: *mut Context,
    ) -> c_int;

    pub(crate) fn gp_file_new(file: *mut *mut CameraFile) -> c_int;
    pub(crate) fn gp_file_unref(file: *mut CameraFile) -> c_int;
    pub(crate) fn gp_file_get_data_and_size(
        file: *mut CameraFile,
        data: *mut *const c_char,
        size: *mut c_ulong,
    ) -> c_int;

    pub(crate) fn gp_widget_get_type(widget: *mut CameraWidget, kind: *mut c_int) -> c_int;
    pub(crate) fn gp_widget_get_value(widget: *mut CameraWidget, value: *mut c_void) -> c_int;
    pub(crate) fn gp_widget_set_value(widget: *mut CameraWidget, value: *const c_void) -> c_int;
    pub(crate) fn gp_widget_count_choices(widget: *mut CameraWidget) -> c_int;
    pub(crate) fn gp_widget_get_choice(
        widget: *mut CameraWidget,
        index: c_int,
        choice: *mut *const c_char,
    ) -> c_int;
    pub(crate) fn gp_widget_get_readonly(widget: *mut CameraWidget, readonly: *mut c_int) -> c_int;
    pub(crate) fn gp_widget_unref(widget: *mut CameraWidget) -> c_int;
}

// Of settings of libgphoto2 itself. What is set stays in this process where there is no home.
#[link(name = "gphoto2")]
unsafe extern "C" {
    pub(crate) fn gp_setting_set(id: *const c_char, key: *const c_char, value: *const c_char) -> c_int;
}

#[link(name = "gphoto2_port")]
unsafe extern "C" {
    pub(crate) fn gp_port_info_list_new(list: *mut *mut PortInfoList) -> c_int;
    pub(crate) fn gp_port_info_list_free(list: *mut PortInfoList) -> c_int;
    pub(crate) fn gp_port_info_list_load(list: *mut PortInfoList) -> c_int;
    pub(crate) fn gp_port_info_list_lookup_path(list: *mut PortInfoList, path: *const c_char) -> c_int;
    pub(crate) fn gp_port_info_list_get_info(
        list: *mut PortInfoList,
        index: c_int,
        info: *mut *mut PortInfo,
    ) -> c_int;
    pub(crate) fn gp_port_new(port: *mut *mut Port) -> c_int;
    pub(crate) fn gp_port_free(port: *mut Port) -> c_int;
    pub(crate) fn gp_port_set_info(port: *mut Port, info: *mut PortInfo) -> c_int;
    pub(crate) fn gp_port_open(port: *mut Port) -> c_int;
    pub(crate) fn gp_port_close(port: *mut Port) -> c_int;
    pub(crate) fn gp_port_reset(port: *mut Port) -> c_int;
    pub(crate) fn gp_port_result_as_string(result: c_int) -> *const c_char;
}
