{{/* The command line of the server, as the values have it. */}}
{{- define "hookward.ownArguments" -}}
- --log-level={{ .Values.log.level }}
- --log-format={{ .Values.log.format }}
- serve
- --cluster
- --listen={{ .Values.listenAddress }}:{{ .Values.port }}
- --admin-listen={{ .Values.listenAddress }}:{{ .Values.adminPort }}
- --policy=/etc/hookward/policy.yaml
- --expected-registration=/etc/hookward/registration.yaml
- --webhook-configuration={{ include "hookward.name" . }}
- --service={{ include "hookward.name" . }}
- --lease={{ include "hookward.name" . }}
{{- if eq .Values.certificates.mode "self" }}
- --cert-secret={{ include "hookward.certificateSecret" . }}
- --ca-life={{ .Values.certificates.self.authorityLife }}
- --leaf-life={{ .Values.certificates.self.leafLife }}
- --rotation-overlap={{ .Values.certificates.self.overlap }}
{{- else }}
- --cert-dir=/etc/hookward-certificate
{{- end }}
{{- with .Values.clientCertificates }}
{{- if .authorityConfigMap }}
- --client-ca=/etc/hookward-clients/ca.crt
{{- with .names }}
- --client-names={{ join "," . }}
{{- end }}
{{- end }}
{{- end }}
- --drain-delay={{ .Values.drain.delay }}s
- --drain-timeout={{ .Values.drain.timeout }}s
{{- if .Values.drift.repair }}
- --repair-webhooks
{{- end }}
{{- if .Values.releaseLookup }}
- --release-lookup
{{- end }}
{{- if not .Values.events.enabled }}
- --no-events
{{- end }}
{{- if eq .Values.metrics.mode "local" }}
- --local-metrics
{{- else if eq .Values.metrics.mode "token" }}
- --metrics-token=/etc/hookward-metrics/{{ .Values.metrics.token.key }}
{{- end }}
{{- end -}}

{{- define "hookward.arguments" -}}
{{ include "hookward.ownArguments" . }}
{{- with .Values.extraArgs }}
{{ toYaml . }}
{{- end }}
{{- end -}}
