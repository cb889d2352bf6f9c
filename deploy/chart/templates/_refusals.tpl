{{/*
What the schema of the values cannot say, since it looks at one value at a time: values that contradict each other, and names that Kubernetes
would refuse. Refused here, before anything is changed.
*/}}
{{- define "hookward.refusals" -}}
{{- include "hookward.refuseNames" . -}}
{{- include "hookward.refuseLabels" . -}}
{{- include "hookward.refuseReplicas" . -}}
{{- include "hookward.refuseLives" . -}}
{{- include "hookward.refuseManagedLives" . -}}
{{- include "hookward.refuseEnvironment" . -}}
{{- include "hookward.refuseArguments" . -}}
{{- include "hookward.refuseResources" . -}}
{{- include "hookward.refuseImage" . -}}
{{- include "hookward.refuseAddresses" . -}}
{{- include "hookward.refuseNetworkPolicy" . -}}
{{- if and .Values.metrics.prometheusRule.enabled (eq .Values.metrics.mode "local") -}}
{{- fail "metrics.prometheusRule needs metrics.mode service or token: in the mode local nobody can read what its alerts ask for, and HookwardAbsent would never end" -}}
{{- end -}}
{{- if and .Values.clientCertificates.names (not .Values.clientCertificates.authorityConfigMap) -}}
{{- fail "clientCertificates.names without clientCertificates.authorityConfigMap would let everyone in: say who signs the client certificates" -}}
{{- end -}}
{{- end -}}

{{/* What nobody could call, or no process could listen at. */}}
{{- define "hookward.refuseAddresses" -}}
{{- if eq (int .Values.port) (int .Values.adminPort) -}}
{{- fail (printf "port and adminPort are both %d: reviews and probes need a port each" (int .Values.port)) -}}
{{- end -}}
{{- if .Values.hostNetwork -}}
{{- range $name, $port := dict "port" .Values.port "adminPort" .Values.adminPort -}}
{{- if lt (int $port) 1024 -}}
{{- fail (printf "%s is %d: with hostNetwork it must be 1024 or more, since only root may listen below that on a node, and we never are" $name (int $port)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if regexMatch "^(127[.]|\\[[0:]*:0*1\\]$)" .Values.listenAddress -}}
{{- fail (printf "listenAddress is %s, where neither the API server nor a probe reaches a pod: 0.0.0.0, or \"[::]\" without IPv4" .Values.listenAddress) -}}
{{- end -}}
{{- end -}}

{{/* What no node would ever pull. */}}
{{- define "hookward.refuseImage" -}}
{{- $name := printf "%s/%s" .Values.image.registry .Values.image.repository | trimPrefix "/" -}}
{{- $label := "[A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?" -}}
{{- $host := printf "(%s([.]%s)*|\\[[0-9a-fA-F:]+\\])(:[0-9]+)?" $label $label -}}
{{- $part := "[a-z0-9]+(([.]|_|__|-+)[a-z0-9]+)*" -}}
{{- if not (regexMatch (printf "^(%s/)?%s(/%s)*$" $host $part $part) $name) -}}
{{- fail (printf "image.registry and image.repository make %q, which is no name of an image" $name) -}}
{{- end -}}
{{- end -}}

{{- define "hookward.refuseNames" -}}
{{- $name := include "hookward.name" . -}}
{{- if not (regexMatch "^[a-z]([-a-z0-9]*[a-z0-9])?$" $name) -}}
{{- fail (printf "%q cannot be the name of a Service (letters, digits and dashes, a letter first): choose another name of the release, or set fullnameOverride" $name) -}}
{{- end -}}
{{- if not (printf "name: %s" $name | fromYaml | dig "name" nil | kindIs "string") -}}
{{- fail (printf "%q is no text in YAML: choose another name of the release, or set fullnameOverride" $name) -}}
{{- end -}}
{{- end -}}

{{/* A key that is there twice is taken twice by some and refused by others; and the selectors must keep finding the pods. */}}
{{- define "hookward.refuseLabels" -}}
{{- $metrics := .Values.metrics -}}
{{- $own := list "app.kubernetes.io/name" "app.kubernetes.io/instance" "app.kubernetes.io/version" "app.kubernetes.io/managed-by" "app.kubernetes.io/component" "helm.sh/chart" -}}
{{- $annotations := list "kubectl.kubernetes.io/default-container" "checksum/configuration" -}}
{{- $further := concat $own (keys (.Values.labels | default dict)) -}}
{{- range list
  (list "labels" .Values.labels $own)
  (list "podLabels" .Values.podLabels $further)
  (list "metrics.serviceMonitor.labels" $metrics.serviceMonitor.labels $further)
  (list "metrics.prometheusRule.labels" $metrics.prometheusRule.labels $further)
  (list "metrics.dashboard.labels" $metrics.dashboard.labels $further)
  (list "podAnnotations" .Values.podAnnotations $annotations)
  (list "webhooks.annotations" .Values.webhooks.annotations (list "hookward.dev/registration"))
-}}
{{- $value := index . 0 -}}
{{- $taken := index . 2 -}}
{{- range $key, $_ := index . 1 -}}
{{- if has $key $taken -}}
{{- fail (printf "%s must not hold %s, which is set already" $value $key) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "hookward.refuseReplicas" -}}
{{- $scaling := .Values.autoscaling -}}
{{- if and $scaling.enabled (gt (int $scaling.minReplicas) (int $scaling.maxReplicas)) -}}
{{- fail (printf "autoscaling.minReplicas is %d, more than autoscaling.maxReplicas, %d" (int $scaling.minReplicas) (int $scaling.maxReplicas)) -}}
{{- end -}}
{{- $strategy := .Values.updateStrategy -}}
{{- $rolling := $strategy.rollingUpdate | default dict -}}
{{- if and $rolling (eq $strategy.type "Recreate") -}}
{{- fail "updateStrategy.type Recreate needs updateStrategy.rollingUpdate to be null; no replica answers while they are exchanged" -}}
{{- end -}}
{{- if and $rolling (has (toString $rolling.maxSurge) (list "0" "0%")) (has (toString $rolling.maxUnavailable) (list "0" "0%")) -}}
{{- fail "updateStrategy.rollingUpdate.maxSurge and maxUnavailable are both 0: no replica could ever be replaced" -}}
{{- end -}}
{{- $budget := .Values.podDisruptionBudget -}}
{{- if and $budget.enabled (regexMatch "^0+%?$" (toString $budget.maxUnavailable)) -}}
{{- fail (printf "podDisruptionBudget.maxUnavailable is %v: no node with a replica could ever be drained" $budget.maxUnavailable) -}}
{{- end -}}
{{- end -}}

{{/* As the server wants them, which would not start otherwise. */}}
{{- define "hookward.refuseLives" -}}
{{- if eq .Values.certificates.mode "self" -}}
{{- $own := .Values.certificates.self -}}
{{- $leaf := include "hookward.seconds" $own.leafLife | int64 -}}
{{- if lt $leaf (mul 6 (include "hookward.seconds" $own.overlap | int64)) -}}
{{- fail (printf "certificates.self.leafLife, %s, must be six times certificates.self.overlap, %s, or more" $own.leafLife $own.overlap) -}}
{{- end -}}
{{- if lt (include "hookward.seconds" $own.authorityLife | int64) (mul 2 $leaf) -}}
{{- fail (printf "certificates.self.authorityLife, %s, must be twice certificates.self.leafLife, %s, or more" $own.authorityLife $own.leafLife) -}}
{{- end -}}
{{- if gt (include "hookward.seconds" $own.authorityLife | int64) (mul 1000 365 86400) -}}
{{- fail (printf "certificates.self.authorityLife, %s, must be 1000 years of 365 days or less" $own.authorityLife) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* As cert-manager wants them, which would never make a certificate otherwise. */}}
{{- define "hookward.refuseManagedLives" -}}
{{- if eq .Values.certificates.mode "certManager" -}}
{{- $manager := .Values.certificates.certManager -}}
{{- $duration := include "hookward.goSeconds" $manager.duration | float64 -}}
{{- $renewal := include "hookward.goSeconds" $manager.renewBefore | float64 -}}
{{- if lt $duration 3600.0 -}}
{{- fail (printf "certificates.certManager.duration, %s, must be an hour or more" $manager.duration) -}}
{{- end -}}
{{- if lt $renewal 300.0 -}}
{{- fail (printf "certificates.certManager.renewBefore, %s, must be five minutes or more" $manager.renewBefore) -}}
{{- end -}}
{{- if ge $renewal $duration -}}
{{- fail (printf "certificates.certManager.renewBefore, %s, must be shorter than certificates.certManager.duration, %s" $manager.renewBefore $manager.duration) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* A variable that is there twice: the last one wins, or the API server refuses both. */}}
{{- define "hookward.refuseEnvironment" -}}
{{- $taken := list "POD_NAME" "POD_NAMESPACE" "MEMORY_LIMIT" -}}
{{- range .Values.extraEnv -}}
{{- if has .name $taken -}}
{{- fail (printf "extraEnv must not hold %s, which is set already" .name) -}}
{{- end -}}
{{- $taken = append $taken .name -}}
{{- end -}}
{{- end -}}

{{/* A flag that is there twice, with which no replica would start. */}}
{{- define "hookward.refuseArguments" -}}
{{- $taken := list -}}
{{- range include "hookward.ownArguments" . | fromYamlArray -}}
{{- $taken = append $taken (splitList "=" . | first) -}}
{{- end -}}
{{- range .Values.extraArgs -}}
{{- $flag := splitList "=" . | first -}}
{{- if has $flag $taken -}}
{{- fail (printf "extraArgs must not hold %s, which is set already" $flag) -}}
{{- end -}}
{{- $taken = append $taken $flag -}}
{{- end -}}
{{- end -}}

{{/* Limits that nothing would keep. */}}
{{- define "hookward.refuseNetworkPolicy" -}}
{{- $policy := .Values.networkPolicy -}}
{{- if or .Values.hostNetwork (not $policy.enabled) -}}
{{- $why := ternary "hostNetwork, which no NetworkPolicy reaches" "networkPolicy.enabled false" .Values.hostNetwork -}}
{{- range list "webhookFrom" "metricsFrom" -}}
{{- if get $policy . -}}
{{- fail (printf "networkPolicy.%s keeps nobody out with %s" . $why) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "hookward.refuseResources" -}}
{{- $resources := .Values.resources | default dict -}}
{{- $requests := $resources.requests | default dict -}}
{{- $limits := $resources.limits | default dict -}}
{{- if hasKey $limits "memory" -}}
{{- if lt (include "hookward.quantity" $limits.memory | float64) (mulf 32 1048576) -}}
{{- fail (printf "resources.limits.memory is %v: with less than 32Mi a replica ends for want of memory, again and again" $limits.memory) -}}
{{- end -}}
{{- end -}}
{{- range $name, $requested := $requests -}}
{{- if hasKey $limits $name -}}
{{- $limit := get $limits $name -}}
{{- if gt (include "hookward.quantity" $requested | float64) (include "hookward.quantity" $limit | float64) -}}
{{- fail (printf "resources.requests.%s is %v, more than resources.limits.%s, %v" $name $requested $name $limit) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and .Values.autoscaling.enabled (not (or (hasKey $requests "cpu") (hasKey $limits "cpu"))) -}}
{{- fail "autoscaling.enabled needs resources.requests.cpu: the use that it aims at is a part of that" -}}
{{- end -}}
{{- end -}}

{{/* The number that a quantity of Kubernetes stands for: `128Mi`, `100m`, `1e3`, 2. */}}
{{- define "hookward.quantity" -}}
{{- $unit := regexFind "([KMGTPE]i|[numkMGTPE])$" (toString .) -}}
{{- $powers := dict "n" 1e-9 "u" 1e-6 "m" 1e-3 "" 1.0 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "P" 1e15 "E" 1e18
  "Ki" 1024.0 "Mi" 1048576.0 "Gi" 1073741824.0 "Ti" 1099511627776.0 "Pi" 1125899906842624.0 "Ei" 1152921504606846976.0 -}}
{{- mulf (trimSuffix $unit (toString .) | float64) (get $powers $unit) -}}
{{- end -}}

{{/* The seconds of a duration as Go writes it: `2160h`, `1h30m`, `1.5h`. */}}
{{- define "hookward.goSeconds" -}}
{{- $seconds := 0.0 -}}
{{- range regexFindAll "[0-9.]+(ms|h|m|s)" . -1 -}}
{{- $unit := regexFind "[a-z]+$" . -}}
{{- $seconds = addf $seconds (mulf (trimSuffix $unit . | float64) (get (dict "h" 3600.0 "m" 60.0 "s" 1.0 "ms" 0.001) $unit)) -}}
{{- end -}}
{{- $seconds -}}
{{- end -}}

{{/* The seconds of `365d`, `36h`, `10m` or `45s`. */}}
{{- define "hookward.seconds" -}}
{{- $unit := regexFind "[a-z]$" . -}}
{{- mul (trimSuffix $unit . | int64) (get (dict "d" 86400 "h" 3600 "m" 60 "s" 1) $unit) -}}
{{- end -}}
