//! Who did what, in the catalog.

use respaldo_contract::messages::ErrorCode;
use respaldo_engine::ports::{Act, Browse, Catalog, FaultKind};
use respaldo_panel::ports::{Call, Entry, Ledger, Problem};

use super::problem::problem;
use super::{Program, lang};
use crate::failure::{Failure, of_catalog, reason_of};

fn browse(catalog: Option<&dyn Catalog>) -> Option<&dyn Browse> {
    catalog.and_then(Catalog::browse)
}

impl Ledger for Program {
    fn write(&self, base: &str, entries: &[Entry]) -> Result<(), String> {
        let room = self.rooms.of(base).map_err(|failure| failure.in_words())?;
        let catalog = room.operations.parts().catalog.as_deref();
        let (Some(catalog), Some(browse)) = (catalog, browse(catalog)) else {
            return Err("there is no catalog".to_owned());
        };
        let acts: Vec<Act> = entries.iter().map(act).collect();
        let noted = match browse.note(&acts) {
            Err(fault) if fault.kind == FaultKind::NotFound => {
                catalog.migrate().and_then(|()| browse.note(&acts))
            }
            noted => noted,
        };
        catalog.rest();
        noted.map_err(|fault| reason_of(&fault))
    }

    fn read(&self, call: &Call, limit: u32, offset: u32) -> Result<(Vec<Entry>, u64), Problem> {
        let said = lang(call.lang);
        let told = |failure: &Failure| problem(failure, said);
        let room = self
            .rooms
            .of(&call.base)
            .map_err(|failure| told(&failure))?;
        let catalog = room.operations.parts().catalog.as_deref();
        let Some(browse) = browse(catalog) else {
            return Err(told(&Failure::new(ErrorCode::CatalogUnreachable, "")));
        };
        match browse.acts(offset..offset.saturating_add(limit)) {
            Ok(part) => Ok((part.rows.into_iter().map(entry).collect(), part.total)),
            Err(fault) => Err(told(&of_catalog(&fault))),
        }
    }
}

fn act(entry: &Entry) -> Act {
    Act {
        id: entry.id,
        at: entry.fecha,
        user: entry.usuario.clone(),
        address: entry.origen.clone(),
        action: entry.accion.clone(),
        object: entry.objeto.clone(),
        outcome: entry.resultado.clone(),
        detail: entry.detalle.clone(),
    }
}

fn entry(act: Act) -> Entry {
    Entry {
        id: act.id,
        fecha: act.at,
        usuario: act.user,
        origen: act.address,
        accion: act.action,
        objeto: act.object,
        resultado: act.outcome,
        detalle: act.detail,
    }
}
