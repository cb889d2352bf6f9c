{{/* The policy below all others, from values; a file, so that nothing has to exist before it can be read. */}}
{{- define "hookward.policy" -}}
apiVersion: hookward.dev/v1alpha1
kind: HookPolicy
metadata:
  name: chart-values
spec:
  profile: {{ .Values.profile }}
  recoveryEvents: {{ .Values.recoveryEvents }}
  {{- with .Values.engine }}
  engine:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.rules }}
  rules:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}
