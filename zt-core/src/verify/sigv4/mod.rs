//! AWS Signature Version 4, for callers that sign with AWS libraries: in the `Authorization` header or in the query
//! (AWS IAM User Guide, "AWS Signature Version 4 for API requests").
//!
//! A request holds for five minutes from its time ("in most cases, a request must reach AWS within five minutes of the
//! time stamp in the request", the same guide; S3 and older services give fifteen), and a presigned one as long as it
//! says, up to seven days. Within that time it can be sent again: the scheme has no nonce.
//!
//! Not offered, and refused by name: SigV4A (another algorithm, several regions) and payloads that are signed in chunks
//! (`STREAMING-...`), whose chunks would have to be taken apart.

mod access_key;
mod authorization;
mod canonical;
mod check;
mod config;
mod query;

use std::sync::Arc;

use self::access_key::AccessKey;
use self::authorization::{Authorization, bad};
pub use self::config::Sigv4Config;
use self::query::Query;
pub(super) use self::query::is_presigned;
use super::Refusal;
use crate::model::{Code, Identity, Millis, Problem, Request};

/// Every access key, in the configuration's order.
#[derive(Debug, Default)]
pub(super) struct Sigv4(Vec<AccessKey>);

impl Sigv4 {
    pub(super) fn compile(configs: &[Sigv4Config], problems: &mut Vec<Problem>) -> Self {
        let mut keys: Vec<AccessKey> = Vec::with_capacity(configs.len());
        for (at, config) in configs.iter().enumerate() {
            let key = AccessKey::compile(at, config, problems);
            let same = |other: &AccessKey| {
                (&other.access_key_id, &other.region, &other.service) == (&key.access_key_id, &key.region, &key.service)
            };
            if keys.iter().any(same) {
                let message = "the same access key, region and service as another entry";
                let problem = Problem::new(format!("verify.sigv4[{at}].access_key_id"), message);
                problems.push(problem.mend("write each once"));
            }
            keys.push(key);
        }
        Self(keys)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Who signed this request: by this `Authorization` header, or else by its query.
    pub(super) fn signer(
        &self,
        authorization: Option<&[u8]>,
        request: &Request<'_>,
        now: Millis,
    ) -> Result<Arc<Identity>, Refusal> {
        if self.is_empty() {
            return Err((Code::VerifySchemeRefused, "no `[[verify.sigv4]]` is configured"));
        }
        let query = Query::read(request)?;
        let signed = match authorization {
            Some(_) if is_presigned(request) => {
                return Err((Code::VerifyManyCredentials, "signed in `Authorization` and in the query"));
            }
            Some(header) => Authorization::of_header(header, request)?,
            None => Authorization::of_query(&query)?,
        };
        let mut keys = self.0.iter().filter(|key| *key.access_key_id == *signed.access_key_id).peekable();
        keys.peek().ok_or((Code::VerifyUnknownKey, "no such access key"))?;
        let key = keys.find(|key| *key.region == *signed.region && *key.service == *signed.service);
        let key = key.ok_or(bad("the scope is of another region or service"))?;
        key.check(&signed, &query, request)?;
        key.check_time(&signed, now)?;
        Ok(Arc::clone(&key.identity))
    }
}

#[cfg(test)]
mod tests;
