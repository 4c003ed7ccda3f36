//! What the panel says when it refuses a request by itself: stable code, title, hint.

use super::Lang;
use crate::labels::Label;

macro_rules! panel_codes {
    ($($name:ident $code:literal {
        $en:literal, $hint:literal;
        $es:literal, $sugerencia:literal;
    })+) => {
        /// Refusals of the panel by their stable code.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum PanelCode {
            $(#[doc = $en] $name,)+
        }

        labels!(PanelCode, "code of the panel" { $($name => $code,)+ });

        impl PanelCode {
            /// What went wrong, one sentence without a full stop, and what to do about it.
            ///
            /// ```
            /// use respaldo_contract::messages::{Lang, PanelCode};
            ///
            /// assert_eq!(PanelCode::LoginNeeded.text(Lang::En).0, "nobody is logged in");
            /// ```
            pub fn text(self, lang: Lang) -> (&'static str, &'static str) {
                match self {
                    $(Self::$name => lang.choose(($en, $hint), ($es, $sugerencia)),)+
                }
            }
        }
    };
}

panel_codes! {
    LoginNeeded "login-needed" {
        "nobody is logged in", "Log in, or send a token that counts: Authorization: Bearer TOKEN.";
        "nadie ha iniciado sesión", "Inicie sesión o envíe un token vigente: Authorization: Bearer TOKEN.";
    }
    LoginFailed "login-failed" {
        "the user or the password is wrong", "Try again; an administrator can set another password.";
        "el usuario o la contraseña no son correctos", "Inténtelo otra vez; un administrador puede poner otra contraseña.";
    }
    LoginLocked "login-locked" {
        "there were too many failed logins", "Wait as long as the answer says and try again.";
        "hubo demasiados inicios de sesión fallidos", "Espere lo que indica la respuesta e inténtelo otra vez.";
    }
    NotAllowed "not-allowed" {
        "this role may not do that", "Ask an administrator, or log in as somebody who may.";
        "este rol no puede hacer eso", "Pídalo a un administrador o inicie sesión con quien pueda.";
    }
    RequestForged "request-forged" {
        "the request does not come from the panel's own pages", "Reload the page; a program sends a token instead of a cookie. A proxy has to pass Host on.";
        "la solicitud no viene de las páginas del panel", "Recargue la página; un programa envía un token en lugar de una cookie. Un proxy debe pasar Host.";
    }
    SetupTokenWrong "setup-token-wrong" {
        "this is not the token that the service printed", "Look at what respaldo serve printed when it began; each start prints another.";
        "este no es el código que imprimió el servicio", "Vea lo que imprimió respaldo serve al empezar; cada inicio imprime otro.";
    }
    AlreadySetUp "already-set-up" {
        "the first user exists already", "Log in.";
        "el primer usuario ya existe", "Inicie sesión.";
    }
    NotFound "not-found" {
        "there is no such thing", "Check the address; GET /api/v1/openapi.json lists all there are.";
        "no existe", "Revise la dirección; GET /api/v1/openapi.json las lista todas.";
    }
    UnknownBase "unknown-base" {
        "no database of this name is looked after", "Use one of the names listed.";
        "no se atiende ninguna base con ese nombre", "Use uno de los nombres indicados.";
    }
    MethodNotAllowed "method-not-allowed" {
        "not with this method", "The header Allow lists those that there are.";
        "no con este método", "El encabezado Allow lista los que hay.";
    }
    InvalidRequest "invalid-request" {
        "the request makes no sense", "Correct what is named and send it again.";
        "la solicitud no tiene sentido", "Corrija lo indicado y envíela otra vez.";
    }
    TooLarge "too-large" {
        "more was sent than is read", "Send less.";
        "se envió más de lo que se lee", "Envíe menos.";
    }
    TooSlow "too-slow" {
        "it took too long to be sent", "Send it again.";
        "tardó demasiado en enviarse", "Envíela otra vez.";
    }
    PanelBusy "panel-busy" {
        "too many want something at once", "Try again in a few seconds.";
        "demasiadas solicitudes a la vez", "Inténtelo en unos segundos.";
    }
    PanelTimeOut "panel-time-out" {
        "there was no answer in time", "Try again; GET /api/v1/doctor tells what is slow or away.";
        "no hubo respuesta a tiempo", "Inténtelo otra vez; GET /api/v1/doctor indica qué es lento o falta.";
    }
    PanelState "panel-state" {
        "the panel's own files cannot be used", "Look at the folder named above: it has to be there, writable, and not full.";
        "no se pueden usar los archivos del panel", "Revise la carpeta indicada: debe existir, admitir escritura y tener espacio.";
    }
    UserExists "user-exists" {
        "there is a user of this name", "Choose another name.";
        "ya existe un usuario con ese nombre", "Elija otro nombre.";
    }
    LastAdmin "last-admin" {
        "nobody would be left who may do everything", "Make another administrator first.";
        "no quedaría nadie que pueda hacerlo todo", "Cree antes otro administrador.";
    }
    RunActive "run-active" {
        "another run is at work on this database", "Wait for it to end, or cancel it.";
        "otra ejecución está trabajando sobre esta base", "Espere a que termine o cancélela.";
    }
    JobOver "job-over" {
        "the job is over", "There is nothing left to cancel.";
        "el trabajo ya terminó", "No queda nada que cancelar.";
    }
    KeyReused "key-reused" {
        "this key began another request", "Use a new Idempotency-Key for each thing that is begun.";
        "esta clave inició otra solicitud", "Use una Idempotency-Key nueva para cada inicio.";
    }
    TicketInvalid "ticket-invalid" {
        "this restore was not planned like this", "Plan it again: a ticket counts for ten minutes, for the same session and the same options.";
        "esta restauración no se planificó así", "Planifíquela otra vez: una ficha vale diez minutos, para la misma sesión y las mismas opciones.";
    }
    TicketUsed "ticket-used" {
        "this restore was begun already", "Look at the jobs; plan it again to restore once more.";
        "esta restauración ya se inició", "Vea los trabajos; planifíquela otra vez para restaurar de nuevo.";
    }
    ConfirmationWrong "confirmation-wrong" {
        "what was typed is not the name of the target", "Type the name exactly as the plan shows it.";
        "lo escrito no es el nombre del destino", "Escriba el nombre exactamente como lo muestra el plan.";
    }
}
