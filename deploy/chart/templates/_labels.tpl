{{/* What finds the pods of this installation; it can never change. */}}
{{- define "hookward.selector" -}}
app.kubernetes.io/name: hookward
app.kubernetes.io/instance: {{ .Release.Name | toYaml }}
app.kubernetes.io/component: server
{{- end -}}

{{- define "hookward.labels" -}}
app.kubernetes.io/name: hookward
app.kubernetes.io/instance: {{ .Release.Name | toYaml }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.labels }}
{{ toYaml . }}
{{- end }}
{{- end -}}
