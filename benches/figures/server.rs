//! The measured server: the product, with an echo route beside its own that parses and validates the same body
//! with the same code, and stores nothing.

use actix_web::{HttpResponse, web};
use openhearth::{
    app::App,
    clock::Clock,
    config::Config,
    error::AppError,
    http::Json,
    signups::{JoinForm, Signups},
};

async fn echo(signups: web::Data<Signups>, Json(form): Json<JoinForm>) -> Result<HttpResponse, AppError> {
    let signup = signups.check(form).map_err(AppError::Invalid)?;
    std::hint::black_box(signup);
    Ok(HttpResponse::Accepted().content_type("application/json").body(r#"{"status":"accepted"}"#))
}

fn routes(config: &mut web::ServiceConfig) {
    config.route("/bench/echo", web::post().to(echo));
}

/// Serves until standard input is closed, that is, until the measuring process ends.
pub fn run(workers: bool) -> Result<(), Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let app = App::build(Config::load()?, Clock::default()).await?;
        let running = app.serve_with(workers, routes)?;
        println!("{}", running.address);
        tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new())).await??;
        running.stop().await;
        Ok(())
    })
}
