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

{{/* The Secret with the serving certificate, whoever fills it. */}}
{{- define "hookward.certificateSecret" -}}
{{- if eq .Values.certificates.mode "existingSecret" -}}
{{- .Values.certificates.existingSecret | required "certificates.existingSecret must name the Secret with tls.crt, tls.key and ca.crt" -}}
{{- else -}}
{{- printf "%s-certificate" (include "hookward.name" .) -}}
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
