{{/*
The alerts, with bounds that fit the values. Those about certificates are no longer than their lives bear: a half, and a quarter, of what is
left when a certificate is renewed, and a quarter of that to wait. Of one that somebody else makes we know no life. Slow is a fifth of the
time that the API server has.
*/}}
{{- define "hookward.alerts" -}}
{{- $left := 0.0 -}}
{{- if eq .Values.certificates.mode "self" -}}
{{- $left = divf (include "hookward.seconds" .Values.certificates.self.leafLife | float64) 3 -}}
{{- else if eq .Values.certificates.mode "certManager" -}}
{{- $left = include "hookward.goSeconds" .Values.certificates.certManager.renewBefore | float64 -}}
{{- end -}}
{{- $alerts := .Files.Get "files/alerts.yaml" | trim -}}
{{- range list (list "14 * 24 * 3600" 1209600 2 "1h" 3600) (list "24 * 3600" 86400 4 "10m" 600) -}}
{{- $bound := divf $left (index . 2) | floor | int64 -}}
{{- if and $left (lt $bound (index . 1 | int64)) -}}
{{- $wait := div $bound 4 | min (index . 4) -}}
{{- $usual := printf "seconds) < %s\n    for: %s\n" (index . 0) (index . 3) -}}
{{- $alerts = $alerts | replace $usual (printf "seconds) < %d\n    for: %ds\n" $bound $wait) -}}
{{- end -}}
{{- end -}}
{{- $slow := divf .Values.webhooks.timeoutSeconds 5 -}}
{{- $alerts | replace "duration_seconds_bucket[5m]))) > 2\n" (printf "duration_seconds_bucket[5m]))) > %v\n" $slow) -}}
{{- end -}}
