//! Rendered manifests of charts that nobody has: many components with what components usually have.

use std::{fs, io, path::Path};

use hooks::annotations::{DELETE_POLICY, HOOK, WEIGHT};

use super::noise::Noise;

/// One of so many components has a hook.
const HOOKS: u64 = 4;

/// Fills `folder` with files of one component each, until there are `bytes` of YAML; gives the number of files and of bytes.
pub(super) fn write(folder: &Path, bytes: usize) -> io::Result<(usize, usize)> {
    let mut noise = Noise::new(5);
    let (mut files, mut written) = (0, 0);
    while written < bytes {
        let text = component(&mut noise, files as u64);
        fs::write(folder.join(format!("component-{files:05}.yaml")), &text)?;
        files += 1;
        written += text.len();
    }
    Ok((files, written))
}

/// The documents of one component: 4 to 5 KB.
pub(super) fn component(noise: &mut Noise, index: u64) -> String {
    let name = format!("{}-{index}", noise.word());
    let mut text = format!(
        "---\n# Source: shop/templates/{name}/serviceaccount.yaml\napiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: {name}\n\
         {labels}automountServiceAccountToken: false\n{settings}{service}{deployment}",
        labels = labels(&name),
        settings = settings(noise, &name),
        service = service(noise, &name),
        deployment = deployment(noise, &name),
    );
    if index.is_multiple_of(HOOKS) {
        text.push_str(&hook(noise, &name));
    }
    text
}

/// The Job of a component that is a hook.
pub(super) fn hook(noise: &mut Noise, name: &str) -> String {
    format!(
        "---\n# Source: shop/templates/{name}/migrate.yaml\napiVersion: batch/v1\nkind: Job\nmetadata:\n  name: {name}-migrate\n{labels}  \
         annotations:\n    {HOOK}: pre-install,pre-upgrade\n    {WEIGHT}: \"5\"\n    {DELETE_POLICY}: before-hook-creation\nspec:\n  \
         backoffLimit: 3\n  activeDeadlineSeconds: 240\n  ttlSecondsAfterFinished: 300\n  template:\n    spec:\n      \
         restartPolicy: Never\n      containers:\n{container}",
        labels = labels(name),
        container = container(noise, "migrate"),
    )
}

fn labels(name: &str) -> String {
    format!(
        "  labels:\n    app.kubernetes.io/name: {name}\n    app.kubernetes.io/instance: shop\n    app.kubernetes.io/version: \"4.2.1\"\n    \
         app.kubernetes.io/managed-by: Helm\n"
    )
}

fn settings(noise: &mut Noise, name: &str) -> String {
    let mut text = format!(
        "---\n# Source: shop/templates/{name}/configmap.yaml\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n{}data:\n  \
         settings.ini: |\n",
        labels(name)
    );
    let mut line = || format!("    {}.{} = {}\n", noise.word(), noise.word(), noise.below(1 << 40));
    text.extend((0..20).map(|_| line()));
    text
}

fn service(noise: &mut Noise, name: &str) -> String {
    format!(
        "---\n# Source: shop/templates/{name}/service.yaml\napiVersion: v1\nkind: Service\nmetadata:\n  name: {name}\n{}spec:\n  \
         type: ClusterIP\n  ports:\n    - name: http\n      port: {}\n      targetPort: http\n      protocol: TCP\n  selector:\n    \
         app.kubernetes.io/name: {name}\n    app.kubernetes.io/instance: shop\n",
        labels(name),
        1024 + noise.below(40_000),
    )
}

fn deployment(noise: &mut Noise, name: &str) -> String {
    format!(
        "---\n# Source: shop/templates/{name}/deployment.yaml\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {name}\n{}spec:\n  \
         replicas: {}\n  selector:\n    matchLabels:\n      app.kubernetes.io/name: {name}\n  template:\n    metadata:\n      labels:\n        \
         app.kubernetes.io/name: {name}\n      annotations:\n        checksum/config: {}\n    spec:\n      serviceAccountName: {name}\n      \
         securityContext:\n        fsGroup: 1000\n      containers:\n{}",
        labels(name),
        1 + noise.below(5),
        noise.digest(),
        container(noise, "main"),
    )
}

fn container(noise: &mut Noise, name: &str) -> String {
    let mut text = format!(
        "        - name: {name}\n          image: \"registry.example.com/shop/{}@{}\"\n          imagePullPolicy: IfNotPresent\n          \
         args:\n            - serve\n            - --verbose={}\n          resources:\n            limits: {{cpu: 500m, memory: 256Mi}}\n            \
         requests: {{cpu: 100m, memory: 128Mi}}\n          securityContext:\n            runAsNonRoot: true\n            \
         allowPrivilegeEscalation: false\n          env:\n",
        noise.word(),
        noise.digest(),
        noise.below(9),
    );
    let mut setting = |index: u32| {
        let (name, value) = (noise.word(), noise.word());
        let number = noise.below(1_000_000);
        format!("            - name: SETTING_{index}_{name}\n              value: \"{value}-{number}\"\n")
    };
    text.extend((0..10).map(&mut setting));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_document_is_read_as_yaml() {
        let folder = tempfile::tempdir().unwrap();
        let (files, bytes) = write(folder.path(), 100_000).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), files);
        assert!(bytes >= 100_000);
        let text = component(&mut Noise::new(1), 0);
        let read = hooks::manifest::read(&text, hooks::Interest::Everything, &hooks::yaml::Limits::default());
        assert_eq!(read.iter().filter(|document| document.is_ok()).count(), 5);
    }
}
