//! What Kubernetes is given.

use super::{are_understood, document, documents, is_valid, place, text, variables, words};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

const BASE: &str = "kustomize/base";
const OVERLAY: &str = "kustomize/overlays/production";

fn strings<'v>(list: &'v Value, key: &str) -> Vec<&'v str> {
    list.as_array().into_iter().flatten().filter_map(|one| one[key].as_str()).collect()
}

/// All objects of the base.
fn objects() -> Vec<Value> {
    let kustomization = document(&format!("{BASE}/kustomization.yaml"));
    let files = words(&kustomization["resources"]).into_iter().map(str::to_owned).collect::<Vec<_>>();
    files.iter().flat_map(|file| documents(&format!("{BASE}/{file}"))).collect()
}

fn of_kind<'o>(objects: &'o [Value], kinds: &[&str]) -> Vec<&'o Value> {
    objects.iter().filter(|one| kinds.contains(&one["kind"].as_str().unwrap())).collect()
}

#[test]
fn kustomizations_name_only_files_that_exist_and_all_of_them() {
    for directory in [BASE, OVERLAY] {
        let kustomization = document(&format!("{directory}/kustomization.yaml"));
        assert_eq!(kustomization["kind"], "Kustomization");
        let mut named: BTreeSet<&str> = words(&kustomization["resources"]).into_iter().collect();
        named.extend(strings(&kustomization["patches"], "path"));
        for generator in ["configMapGenerator", "secretGenerator"] {
            for one in kustomization[generator].as_array().into_iter().flatten() {
                let lists = [&one["files"], &one["envs"]].into_iter().filter(|list| list.is_array());
                named.extend(lists.flat_map(words));
            }
        }
        for name in &named {
            assert!(place(directory).join(name).exists(), "{directory}: {name}");
        }
        let files = std::fs::read_dir(place(directory)).unwrap().map(|file| file.unwrap().file_name());
        let idle =
            files.filter(|file| file != "kustomization.yaml" && !named.contains(file.to_str().unwrap()));
        assert_eq!(idle.count(), 0, "{directory}");
    }
    assert!(Path::new(&place(OVERLAY).join("../../base/kustomization.yaml")).exists());
}

#[test]
fn pods_start_what_the_program_can_do_without_rights_and_without_what_kubernetes_adds() {
    let objects = objects();
    let mut commands = BTreeSet::new();
    for object in of_kind(&objects, &["Deployment", "StatefulSet"]) {
        let (name, pod) = (&object["metadata"]["name"], &object["spec"]["template"]);
        assert_eq!(
            object["spec"]["selector"]["matchLabels"]["app"], pod["metadata"]["labels"]["app"],
            "{name}"
        );
        let pod = &pod["spec"];
        assert_eq!(pod["securityContext"]["runAsNonRoot"], true, "{name}");
        // MAPE_PORT, which Kubernetes would set for a Service called mape, is no key of the configuration.
        assert_eq!(pod["enableServiceLinks"], false, "{name}");
        assert_eq!(pod["automountServiceAccountToken"], false, "{name}");
        assert!(pod["terminationGracePeriodSeconds"].as_u64().unwrap() >= 30, "{name}");
        let [container] = &pod["containers"].as_array().unwrap()[..] else { panic!("{name}") };
        let context = &container["securityContext"];
        assert_eq!(context["allowPrivilegeEscalation"], false, "{name}");
        assert_eq!(context["readOnlyRootFilesystem"], true, "{name}");
        assert_eq!(words(&context["capabilities"]["drop"]), ["ALL"], "{name}");
        assert!(container["resources"]["limits"]["memory"].is_string(), "{name}");
        assert!(container["resources"]["requests"]["cpu"].is_string(), "{name}");
        if container["image"] == "mape" {
            let arguments = words(&container["args"]);
            are_understood(&arguments);
            commands.insert(arguments[0].to_owned());
            assert_eq!(container["envFrom"][0]["secretRef"]["name"], "mape-secrets", "{name}");
        }
        let volumes = [&pod["volumes"], &object["spec"]["volumeClaimTemplates"]];
        let mut there: BTreeSet<&str> = strings(volumes[0], "name").into_iter().collect();
        let claims = volumes[1].as_array().into_iter().flatten();
        there.extend(claims.map(|claim| claim["metadata"]["name"].as_str().unwrap()));
        for mount in strings(&container["volumeMounts"], "name") {
            assert!(there.contains(mount), "{name}: {mount}");
        }
    }
    assert_eq!(commands.into_iter().collect::<Vec<_>>(), ["receipts", "serve", "worker"]);
}

#[test]
fn ports_probes_and_names_agree() {
    let objects = objects();
    let config = document(&format!("{BASE}/config.yaml"));
    let port: u64 = config["rest"]["address"].as_str().unwrap().rsplit(':').next().unwrap().parse().unwrap();
    let find = |kind: &str, name: &str| {
        objects.iter().find(|one| one["kind"] == kind && one["metadata"]["name"] == name).unwrap()
    };
    let serve = &find("Deployment", "mape-serve")["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(serve["ports"][0]["containerPort"], port);
    let service = find("Service", "mape");
    assert_eq!(service["spec"]["ports"][0]["port"], port);
    assert_eq!(service["spec"]["ports"][0]["targetPort"], serve["ports"][0]["name"]);
    for (probe, path) in
        [("startupProbe", "/health"), ("livenessProbe", "/health"), ("readinessProbe", "/ready")]
    {
        assert_eq!(serve[probe]["httpGet"]["path"], path);
        assert_eq!(serve[probe]["httpGet"]["port"], serve["ports"][0]["name"]);
    }
    // Where the parts look for Redis, it is.
    let redis = find("Service", "redis");
    let url = format!("redis://redis:{}/0", redis["spec"]["ports"][0]["port"]);
    assert_eq!(config["backend"]["url"], url);
    assert_eq!(
        text(&format!("{BASE}/redis.conf")),
        text("compose/redis.conf"),
        "there is one configuration of Redis"
    );
    // Whoever is selected is there.
    let pods: BTreeSet<String> = of_kind(&objects, &["Deployment", "StatefulSet"])
        .iter()
        .map(|one| one["spec"]["template"]["metadata"]["labels"]["app"].as_str().unwrap().to_owned())
        .collect();
    for one in of_kind(&objects, &["Service", "PodDisruptionBudget", "NetworkPolicy"]) {
        let spec = &one["spec"];
        let selected = [
            &spec["selector"]["app"],
            &spec["selector"]["matchLabels"]["app"],
            &spec["podSelector"]["matchLabels"]["app"],
        ];
        let app = selected.into_iter().find_map(Value::as_str).unwrap();
        assert!(pods.contains(app), "{}: {app}", one["metadata"]["name"]);
    }
    // The words of the overlay are names of the base.
    let overlay = document(&format!("{OVERLAY}/kustomization.yaml"));
    for name in strings(&overlay["replicas"], "name") {
        find("Deployment", name);
    }
    find("Deployment", document(&format!("{OVERLAY}/resources.yaml"))["metadata"]["name"].as_str().unwrap());
}

#[test]
fn the_configuration_is_valid_and_the_words_in_place_of_secrets_open_nothing() {
    let secrets = format!("{OVERLAY}/secrets.env");
    is_valid(&format!("{BASE}/config.yaml"), &[&secrets]);
    let config = place(&format!("{BASE}/config.yaml"));
    let mut command = super::mape(&["serve", "--backend", "memory:", "--listen", "127.0.0.1:0", "--config"]);
    let output = command.arg(config).envs(variables(&secrets)).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("can be guessed"), "{output:?}");
}
