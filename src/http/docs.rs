//! Pages on which people read about the API: all of them served from the program itself.

use super::Context;
use axum::Router;
use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::SwaggerUi;

pub(super) fn routes(document: OpenApi) -> Router<Context> {
    let described = super::workflows::described(&document);
    Router::new().merge(described).merge(SwaggerUi::new("/docs").url("/openapi.json", document))
}
