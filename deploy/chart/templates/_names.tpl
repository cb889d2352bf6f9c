{{/* The name of this installation: of everything that is there once. */}}
{{- define "hookward.name" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- $chart := default .Chart.Name .Values.nameOverride -}}
{{- if contains $chart .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $chart | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "hookward.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (ternary (include "hookward.name" .) "default" .Values.serviceAccount.create) -}}
{{- end -}}

{{- define "hookward.priorityClass" -}}
{{- ternary (include "hookward.name" .) .Values.priorityClass.name .Values.priorityClass.create -}}
{{- end -}}

{{/* The Secret with the serving certificate, whoever fills it. Two that fill it need two, lest one finds what the other made when the mode changes. */}}
{{- define "hookward.certificateSecret" -}}
{{- if eq .Values.certificates.mode "existingSecret" -}}
{{- .Values.certificates.existingSecret | required "certificates.existingSecret must name the Secret with tls.crt, tls.key and ca.crt" -}}
{{- else if eq .Values.certificates.mode "certManager" -}}
{{- printf "%s-cert-manager" (include "hookward.name" .) -}}
{{- else -}}
{{- printf "%s-certificate" (include "hookward.name" .) -}}
{{- end -}}
{{- end -}}

{{/*
The number of replicas. With autoscaling the one that is there, whatever the limits: a Deployment that stops naming a number falls to one
replica, and one that names its own undoes what the autoscaler chose, for which Helm 4 refuses the upgrade.
*/}}
{{- define "hookward.replicas" -}}
{{- if .Values.autoscaling.enabled -}}
{{- $live := lookup "apps/v1" "Deployment" .Release.Namespace (include "hookward.name" .) -}}
{{- dig "spec" "replicas" 0 $live | default .Values.autoscaling.minReplicas -}}
{{- else -}}
{{- .Values.replicas -}}
{{- end -}}
{{- end -}}

{{- define "hookward.image" -}}
{{- $image := .Values.image -}}
{{- $name := printf "%s/%s" $image.registry $image.repository | trimPrefix "/" -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $name $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $name (default .Chart.AppVersion $image.tag) -}}
{{- end -}}
{{- end -}}
