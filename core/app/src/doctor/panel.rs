//! The panel: where it listens, to whom, whether its certificate can be used, whether somebody can log in.

use respaldo_contract::messages::Doctor;

use super::checks::Checks;
use crate::config::Config;
use crate::wiring;

/// Examines what is configured of it.
pub fn examine(config: &Config, checks: &mut Checks) {
    let panel = &config.panel;
    let Some(address) = &panel.listen else {
        return checks.good("panel", Doctor::PanelNowhere {});
    };
    match (address.ip().is_loopback(), panel.tls.is_some()) {
        (true, _) => checks.good("panel", Doctor::PanelHere { address }),
        (false, true) => checks.good("panel", Doctor::PanelFar { address }),
        (false, false) => checks.warning("panel", Doctor::PanelBehindProxy { address }),
    }
    if let Some(files) = &panel.tls
        && let Err(error) = respaldo_panel::check_tls(files)
    {
        checks.bad("panel", Doctor::PanelTls { reason: &error });
    }
    let folder = panel.folder_in(&wiring::work_dir(config));
    match respaldo_panel::is_set_up(&folder) {
        Ok(true) => {}
        Ok(false) => checks.good("panel", Doctor::PanelWithoutUser {}),
        Err(error) => checks.bad("panel", Doctor::PanelUsers { reason: &error }),
    }
}
