//! `/api/v1/openapi.json`, and `/api/docs`, which shows it.

use std::collections::BTreeMap;

use actix_web::{
    HttpResponse,
    web::{self, Data},
};
use serde_json::Value;

use super::{
    Ops, openapi,
    pages::{ApiDocsPage, ApiInfo, OperationView, ParameterView, ResponseView, SchemaView, TagView},
};
use crate::{
    error::AppError,
    http::{Endpoint, Page},
};

const DOCUMENT_URL: &str = "/api/v1/openapi.json";

async fn document() -> HttpResponse {
    HttpResponse::Ok().json(openapi::document())
}

async fn docs(ops: Data<Ops>) -> Result<Page, AppError> {
    let document = serde_json::to_value(openapi::document()).map_err(|error| AppError::internal(&error))?;
    let nonce = Page::nonce()?;
    let page = ApiDocsPage {
        site: ops.kernel.site(&nonce),
        info: ApiInfo {
            title: text(&document["info"]["title"]),
            version: text(&document["info"]["version"]),
            description: text(&document["info"]["description"]),
        },
        openapi_url: DOCUMENT_URL.to_owned(),
        tags: tags(&document),
        schemas: entries(&document["components"]["schemas"])
            .map(|(name, schema)| SchemaView { name: name.clone(), json: pretty(schema) })
            .collect(),
    };
    Page::render(&page, nonce)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or("").to_owned()
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn tags(document: &Value) -> Vec<TagView> {
    let mut tags: BTreeMap<String, Vec<OperationView>> = BTreeMap::new();
    for (path, item) in entries(&document["paths"]) {
        for (method, operation) in entries(item).filter(|(_, operation)| operation["responses"].is_object()) {
            tags.entry(text(&operation["tags"][0])).or_default().push(view(path, method, operation));
        }
    }
    tags.into_iter().map(|(name, operations)| TagView { name, operations }).collect()
}

fn view(path: &str, method: &str, operation: &Value) -> OperationView {
    let parameters = list(&operation["parameters"]).iter().map(|parameter| ParameterView {
        name: text(&parameter["name"]),
        location: text(&parameter["in"]),
        kind: text(&parameter["schema"]["type"]),
        required: parameter["required"].as_bool().unwrap_or(false),
        description: text(&parameter["description"]),
    });
    let responses = entries(&operation["responses"]).map(|(status, response)| ResponseView {
        status: status.clone(),
        description: text(&response["description"]),
    });
    let body = &operation["requestBody"]["content"];
    OperationView {
        method: method.to_uppercase(),
        path: path.to_owned(),
        summary: text(&operation["summary"]),
        description: text(&operation["description"]),
        parameters: parameters.collect(),
        request_schema_json: entries(body).next().map(|(_, content)| pretty(&content["schema"])),
        responses: responses.collect(),
    }
}

pub(super) fn routes(config: &mut web::ServiceConfig) {
    Endpoint::at(DOCUMENT_URL).get(document).mount(config);
    Endpoint::at("/api/docs").get(docs).mount(config);
}
