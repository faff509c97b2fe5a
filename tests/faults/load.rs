//! A bounded load: N connections that sign up one fresh address after another. A sign-up counts as acknowledged
//! only after its 202.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use reqwest::{Client, Response, StatusCode};
use tokio::{sync::Semaphore, task::JoinSet};

/// A request that takes longer is a fault.
const PATIENCE: Duration = Duration::from_secs(20);

/// What became of the requests.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Answered 202.
    pub acknowledged: BTreeSet<String>,
    /// Answered 503, with Retry-After.
    pub put_off: BTreeSet<String>,
    /// No answer: the server may have stored them or not.
    pub in_doubt: BTreeSet<String>,
    /// The longest wait for a 503.
    pub slowest_refusal: Duration,
}

impl Tally {
    pub fn add(&mut self, other: Self) {
        self.acknowledged.extend(other.acknowledged);
        self.put_off.extend(other.put_off);
        self.in_doubt.extend(other.in_doubt);
        self.slowest_refusal = self.slowest_refusal.max(other.slowest_refusal);
    }
}

/// One sign-up.
pub async fn sign_up(client: &Client, url: &str, email: &str) -> reqwest::Result<Response> {
    let form = serde_json::json!({
        "email": email, "given_name": "Wilhelmina", "postal_code": "15104", "country": "US",
        "consent": { "email": true },
    });
    client.post(format!("{url}/api/v1/signups")).timeout(PATIENCE).json(&form).send().await
}

/// A load under way.
pub struct Load {
    tally: Arc<Mutex<Tally>>,
    stop: Arc<AtomicBool>,
    /// Sign-ups that may still be begun.
    allowed: Arc<Semaphore>,
    workers: JoinSet<()>,
}

impl Load {
    /// `connections` that together sign up at most `count` addresses named after `tag`, within a minute. A
    /// connection that fails ends.
    pub fn start(url: &str, tag: &str, connections: usize, count: usize) -> Self {
        Self::begin(url, tag, connections, count, Semaphore::new(count))
    }

    /// The same, but no sign-up is begun that was not allowed by [`Self::allow`]: so a test, and not the speed of
    /// the machine, says how far the load has got.
    pub fn gated(url: &str, tag: &str, connections: usize) -> Self {
        Self::begin(url, tag, connections, usize::MAX, Semaphore::new(0))
    }

    fn begin(url: &str, tag: &str, connections: usize, count: usize, allowed: Semaphore) -> Self {
        let (tally, stop) = (Arc::new(Mutex::new(Tally::default())), Arc::new(AtomicBool::new(false)));
        let (next, allowed) = (Arc::new(AtomicUsize::new(0)), Arc::new(allowed));
        let end = Instant::now() + Duration::from_secs(60);
        let mut workers = JoinSet::new();
        for _ in 0..connections {
            let (url, tag) = (url.to_owned(), tag.to_owned());
            let (tally, stop) = (Arc::clone(&tally), Arc::clone(&stop));
            let (next, allowed) = (Arc::clone(&next), Arc::clone(&allowed));
            workers.spawn(async move {
                let client = Client::builder().pool_max_idle_per_host(1).build().unwrap();
                while !stop.load(Ordering::SeqCst) && Instant::now() < end {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    if number >= count {
                        return;
                    }
                    let Ok(permit) = allowed.acquire().await else { return };
                    permit.forget();
                    let email = format!("{tag}-{number}@example.org");
                    let begun = Instant::now();
                    let answer = sign_up(&client, &url, &email).await;
                    let mut tally = tally.lock().unwrap();
                    match answer {
                        Ok(response) if response.status() == StatusCode::ACCEPTED => {
                            tally.acknowledged.insert(email);
                        }
                        Ok(response) => {
                            assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
                            let seconds = response.headers()["retry-after"].to_str().unwrap();
                            assert!(seconds.parse::<u32>().unwrap() >= 1);
                            tally.slowest_refusal = tally.slowest_refusal.max(begun.elapsed());
                            tally.put_off.insert(email);
                        }
                        Err(_) => {
                            tally.in_doubt.insert(email);
                            return;
                        }
                    }
                }
            });
        }
        Self { tally, stop, allowed, workers }
    }

    /// Allows `count` more sign-ups to begin.
    pub fn allow(&self, count: usize) {
        self.allowed.add_permits(count);
    }

    pub fn acknowledged(&self) -> usize {
        self.tally.lock().unwrap().acknowledged.len()
    }

    pub fn put_off(&self) -> usize {
        self.tally.lock().unwrap().put_off.len()
    }

    /// Lets every connection finish its request, and no other.
    pub async fn stop(self) -> Tally {
        self.stop.store(true, Ordering::SeqCst);
        self.allowed.close();
        self.finish().await
    }

    /// Lets every connection finish all of its requests.
    pub async fn finish(mut self) -> Tally {
        while let Some(ended) = self.workers.join_next().await {
            ended.unwrap();
        }
        self.tally.lock().unwrap().clone()
    }
}
