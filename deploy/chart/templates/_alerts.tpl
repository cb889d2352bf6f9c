{{/*
The alerts, with the bounds of those about certificates no longer than their lives bear: a half, and a quarter, of what is left when a
certificate is renewed. Of one that somebody else makes we know no life.
*/}}
{{- define "hookward.alerts" -}}
{{- $left := 0.0 -}}
{{- if eq .Values.certificates.mode "self" -}}
{{- $left = divf (include "hookward.seconds" .Values.certificates.self.leafLife | float64) 3 -}}
{{- else if eq .Values.certificates.mode "certManager" -}}
{{- $left = include "hookward.goSeconds" .Values.certificates.certManager.renewBefore | float64 -}}
{{- end -}}
{{- $alerts := .Files.Get "files/alerts.yaml" | trim -}}
{{- range list (list "14 * 24 * 3600" 1209600 2) (list "24 * 3600" 86400 4) -}}
{{- $bound := divf $left (index . 2) | floor | int64 -}}
{{- if and $left (lt $bound (index . 1 | int64)) -}}
{{- $alerts = $alerts | replace (printf "seconds) < %s\n" (index . 0)) (printf "seconds) < %d\n" $bound) -}}
{{- end -}}
{{- end -}}
{{- $alerts -}}
{{- end -}}
