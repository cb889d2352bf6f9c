{{/*
What the schema of the values cannot say, since it looks at one value at a time: values that contradict each other, and names that Kubernetes
would refuse. Refused here, before anything is changed.
*/}}
{{- define "hookward.refusals" -}}
{{- include "hookward.refuseNames" . -}}
{{- include "hookward.refuseLabels" . -}}
{{- include "hookward.refuseReplicas" . -}}
{{- include "hookward.refuseLives" . -}}
{{- if eq (int .Values.port) (int .Values.adminPort) -}}
{{- fail (printf "port and adminPort are both %d: reviews and probes need a port each" (int .Values.port)) -}}
{{- end -}}
{{- if and .Values.clientCertificates.names (not .Values.clientCertificates.authorityConfigMap) -}}
{{- fail "clientCertificates.names without clientCertificates.authorityConfigMap would let everyone in: say who signs the client certificates" -}}
{{- end -}}
{{- end -}}

{{- define "hookward.refuseNames" -}}
{{- $name := include "hookward.name" . -}}
{{- if not (regexMatch "^[a-z]([-a-z0-9]*[a-z0-9])?$" $name) -}}
{{- fail (printf "%q cannot be the name of a Service (letters, digits and dashes, a letter first): choose another name of the release, or set fullnameOverride" $name) -}}
{{- end -}}
{{- end -}}

{{/* A key that is there twice is taken twice by some and refused by others; and the selectors must keep finding the pods. */}}
{{- define "hookward.refuseLabels" -}}
{{- $metrics := .Values.metrics -}}
{{- $own := list "app.kubernetes.io/name" "app.kubernetes.io/instance" "app.kubernetes.io/version" "app.kubernetes.io/managed-by" "app.kubernetes.io/component" "helm.sh/chart" -}}
{{- $annotations := list "kubectl.kubernetes.io/default-container" "checksum/configuration" -}}
{{- $further := concat $own (keys .Values.labels) -}}
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
{{- end -}}
{{- end -}}

{{/* The seconds of `365d`, `36h`, `10m` or `45s`. */}}
{{- define "hookward.seconds" -}}
{{- $unit := regexFind "[a-z]$" . -}}
{{- mul (trimSuffix $unit . | int64) (get (dict "d" 86400 "h" 3600 "m" 60 "s" 1) $unit) -}}
{{- end -}}
