//! [`App`]: everything one process runs, put together. Built by the command line, tests and benches; handed to
//! the server. The only place that knows every slice.

use std::sync::Arc;

use crate::{
    clock::Clock,
    config::{Config, ConfigError, TransportKind},
    forms::Forms,
    groups::{self, Groups, Recalls},
    imports::Imports,
    kernel::Kernel,
    mail::{
        message::{Identity, MessageError},
        transport::{
            Transport,
            mailbox::Mailbox,
            smtp::{Relay, RelayError},
        },
    },
    metrics::Metrics,
    ops::Ops,
    outbox::{Crew, Mailer},
    preferences::{self, Preferences},
    signups::{self, Signups},
    staff::{self, Staff},
    store::{MigrateError, Store, StoreError},
    supporters::{Fields, Segments},
    tls::TlsError,
    wake::Wake,
};

/// Why the app cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The database.
    #[error("database.url: {0}")]
    Database(#[from] MigrateError),
    /// The database, after it was opened.
    #[error("database.url: {0}")]
    Store(#[from] StoreError),
    /// `mail.from` or `mail.reply_to`.
    #[error("mail.from or mail.reply_to: {0}")]
    Identity(#[from] MessageError),
    /// `[mail.smtp]`
    #[error("mail.smtp: {0}")]
    Relay(#[from] RelayError),
    /// `groups.webhook_ca_file`
    #[error("groups.webhook_ca_file: {0}")]
    Webhooks(#[from] TlsError),
    /// The listening socket.
    #[error("server.listen: {0}")]
    Listen(#[from] std::io::Error),
    /// The socket for the figures.
    #[error("metrics.listen: {0}")]
    Metrics(std::io::Error),
}

/// One process of Openhearth.
#[derive(Clone)]
pub struct App {
    /// The kernel.
    pub kernel: Kernel,
    /// Member organisations.
    pub groups: Groups,
    /// Forms.
    pub forms: Forms,
    /// Sign-ups.
    pub signups: Signups,
    /// Preferences.
    pub preferences: Preferences,
    /// Imports.
    pub imports: Imports,
    /// Staff.
    pub staff: Staff,
    /// Custom fields.
    pub fields: Fields,
    /// Saved filters.
    pub segments: Segments,
    /// What groups must be told to forget.
    pub recalls: Recalls,
    /// Operations.
    pub ops: Ops,
    /// The local mailbox, where there is one to show.
    pub mailbox: Option<Mailbox>,
    mailer: Arc<Mailer>,
}

impl App {
    /// Opens the database and puts the slices together. Nothing runs yet.
    ///
    /// # Errors
    /// [`StartError`], naming the key to change.
    pub async fn build(config: Config, clock: Clock) -> Result<Self, StartError> {
        // First, so that everything that is missing is said at once.
        config.check()?;
        let transport = transport(&config)?;
        Self::build_with(config, clock, transport).await
    }

    /// The same, with a transport of the caller's.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn build_with(config: Config, clock: Clock, transport: Transport) -> Result<Self, StartError> {
        config.check()?;
        // Replies are asked for by name, also where they go to the sender anyway.
        let replies = Some(config.mail.reply_to.as_str()).filter(|address| !address.trim().is_empty());
        let identity = Identity::parse(&config.mail.from, replies.or(Some(&config.mail.from)))?;
        let kernel = Kernel {
            keys: config.keys()?,
            store: Store::open(&config.database)?,
            base_url: config.base_url().into(),
            config: Arc::new(config),
            clock,
            outbox: Wake::default(),
            runtime: tokio::runtime::Handle::current(),
            metrics: Arc::new(Metrics::default()),
            reads: Arc::default(),
        };
        kernel.set_clock().await?;
        let groups = Groups::open(&kernel).await?;
        let fields = Fields::open(&kernel).await?;
        let recalls = Recalls::new(&kernel)?;
        let forms = Forms::open(&kernel).await?;
        let mut templates = signups::templates(&kernel, &forms);
        templates.extend(groups::templates(&kernel));
        templates.extend(preferences::templates(&kernel));
        templates.extend(staff::templates(&kernel));
        let mailbox = match &transport {
            Transport::Mailbox(mailbox) if kernel.config.has_dev_mailbox() => Some(mailbox.clone()),
            _ => None,
        };
        let mailer = Mailer::new(kernel.clone(), identity, transport, templates);
        let signups = Signups::new(&kernel, &forms, &fields, &groups);
        let ops = Ops {
            kernel: kernel.clone(),
            signups: signups.clone(),
            mailer: Some(Arc::clone(&mailer)),
            probe: Arc::default(),
        };
        Ok(Self {
            preferences: Preferences::new(&kernel, &forms),
            imports: Imports::new(&kernel, &forms),
            staff: Staff::new(&kernel),
            fields,
            segments: Segments::new(&kernel),
            groups,
            forms,
            recalls,
            signups,
            ops,
            mailbox,
            mailer,
            kernel,
        })
    }

    /// A crew of mail senders, not running.
    #[must_use]
    pub fn crew(&self, senders: usize) -> Crew {
        Crew::new(&self.mailer, senders)
    }
}

fn transport(config: &Config) -> Result<Transport, StartError> {
    match config.mail.transport {
        TransportKind::Mailbox => Ok(Transport::Mailbox(Mailbox::new(&config.mail.mailbox_dir))),
        TransportKind::Smtp => {
            let identity = Identity::parse(&config.mail.from, None)?;
            Ok(Transport::Smtp(Relay::new(&config.mail.smtp, identity.domain())?))
        }
    }
}
