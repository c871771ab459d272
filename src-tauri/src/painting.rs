//! How WebKitGTK paints. Where a computer has no graphics processor (a virtual machine, a remote desktop), one is emulated
//! in software, whose programs are compiled while the first picture waits for them: there WebKit is told to paint with the
//! processor itself, which shows the first picture about a tenth of a second sooner.

use std::path::Path;

/// WebKitGTK's own switch, since it draws with Skia (2.46).
const PAINT_WITH_THE_PROCESSOR: &str = "WEBKIT_SKIA_ENABLE_CPU_RENDERING";

/// Chooses for this process. To be called before it has a second thread: the environment is changed.
pub(crate) fn choose() {
    if has_gpu(Path::new("/dev")) {
        return;
    }
    // What somebody has set already stands.
    if let Err(error) = glib::setenv(PAINT_WITH_THE_PROCESSOR, "1", false) {
        tracing::warn!(error = %error, "the web view could not be told how to paint");
    }
}

/// Whether there is a device to paint with: a render node, NVIDIA's driver without one, or Windows's own under WSL.
fn has_gpu(devices: &Path) -> bool {
    let has_render_node = std::fs::read_dir(devices.join("dri")).is_ok_and(|nodes| {
        nodes
            .flatten()
            .any(|node| node.file_name().to_string_lossy().starts_with("renderD"))
    });
    has_render_node
        || ["nvidiactl", "dxg"]
            .iter()
            .any(|device| devices.join(device).exists())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_graphics_processor_is_known_by_its_device() {
        let devices = tempfile::tempdir().unwrap();
        assert!(!has_gpu(devices.path()), "nothing is there");
        let cards = devices.path().join("dri");
        std::fs::create_dir(&cards).unwrap();
        std::fs::write(cards.join("card0"), "").unwrap();
        assert!(!has_gpu(devices.path()), "a screen alone paints nothing");
        std::fs::write(cards.join("renderD128"), "").unwrap();
        assert!(has_gpu(devices.path()));
        for device in ["nvidiactl", "dxg"] {
            let devices = tempfile::tempdir().unwrap();
            std::fs::write(devices.path().join(device), "").unwrap();
            assert!(has_gpu(devices.path()), "{device}");
        }
    }
}
