//! The built-in tasks, as the configuration has them.

use super::Usage;
use anyhow::Result;
use mape::backend::Backend;
use mape::config::Config;
use mape::workflow::Builtin;

/// The tasks, which run programs if the configuration or `exec` says so.
pub(super) fn builtin(config: &Config, backend: &Backend, log: &str, exec: bool) -> Result<Builtin> {
    let section = &config.workflow;
    let wrong = |key: &str, reason: &dyn std::fmt::Display| Usage::error(format!("{key}: {reason}"));
    let mut builtin = Builtin::new(backend)
        .log(log)
        .longest(section.longest_bytes)
        .program_timeout(section.exec.timeout)
        .allow_commands(section.redis.allow.iter().cloned())
        .resources(section.resources.base.expose())
        .map_err(|error| wrong("workflow.resources.base", &error))?;
    if section.redis.engine_keys {
        builtin = builtin.allow_engine_keys();
    }
    if exec || section.exec.enabled {
        builtin = builtin.allow_programs(section.exec.allow.iter().cloned());
    }
    #[cfg(feature = "http-client")]
    {
        builtin = builtin.request_timeout(section.request.timeout);
        if let Some(hosts) = &section.request.allow_hosts {
            builtin = builtin.allow_hosts(hosts.iter().cloned());
        }
        if let Some(url) = &section.request.callbacks {
            builtin = builtin
                .callbacks(url.expose())
                .map_err(|error| wrong("workflow.request.callbacks", &error))?;
        }
        for (name, secret) in &section.secrets {
            builtin = builtin.secret(name, secret.expose());
        }
        for (name, service) in &section.request.services {
            let token = service.token.as_ref().map(mape::config::Secret::expose);
            builtin = builtin
                .service(name, service.url.expose(), token)
                .map_err(|error| wrong("workflow.request.services", &error))?;
        }
    }
    Ok(builtin)
}
