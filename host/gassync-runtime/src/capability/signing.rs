use crate::{Credentials, placeholder::PlaceholderFiller, signature::Algorithm};

/// Signs the guest's text with a secret the guest never sees. Placeholders in the text are filled first, because some
/// channels require the key's name in the signed text.
pub(crate) async fn sign(
    secrets: &dyn Credentials,
    (slot, field): (&str, &str),
    algorithm: &str,
    text: Vec<u8>,
    declared: &[String],
) -> Result<Vec<u8>, String> {
    let algorithm = Algorithm::by_name(algorithm).map_err(|error| error.to_string())?;
    let key = secrets.field(slot, field).await.map_err(|error| error.to_string())?;
    let text = filled(secrets, text, declared).await?;
    algorithm.sign(key.reveal(), &text).map_err(|error| format!("{slot}.{field}: {error}"))
}

/// Verifies a signature of a text, which may contain placeholders as in `sign`.
pub(crate) async fn verify(
    secrets: &dyn Credentials,
    (slot, field): (&str, &str),
    algorithm: &str,
    (text, declared): (Vec<u8>, &[String]),
    signature: &[u8],
) -> Result<bool, String> {
    let algorithm = Algorithm::by_name(algorithm).map_err(|error| error.to_string())?;
    let key = secrets.field(slot, field).await.map_err(|error| error.to_string())?;
    let text = filled(secrets, text, declared).await?;
    algorithm.verify(key.reveal(), &text, signature).map_err(|error| format!("{slot}.{field}: {error}"))
}

async fn filled(secrets: &dyn Credentials, text: Vec<u8>, declared: &[String]) -> Result<Vec<u8>, String> {
    let mut filler = PlaceholderFiller { secrets, declared, written: &mut Vec::new() };
    match String::from_utf8(text) {
        Ok(text) => Ok(filler.fill(&text).await.map_err(|error| error.to_string())?.into_bytes()),
        Err(binary) => Ok(binary.into_bytes()),
    }
}
