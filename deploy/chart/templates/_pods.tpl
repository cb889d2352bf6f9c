{{/* What the restricted Pod Security Standard asks of a pod, and of a container; and no writing to its own files. */}}
{{- define "hookward.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{/* Who is not root may listen below 1024 where the pod's own network says so: one of the few settings that are safe, which Pod Security allows. */}}
{{- define "hookward.lowPorts" -}}
{{- if lt (min .Values.port .Values.adminPort) 1024 -}}
sysctls:
- name: net.ipv4.ip_unprivileged_port_start
  value: "0"
{{- end -}}
{{- end -}}

{{- define "hookward.containerSecurity" -}}
allowPrivilegeEscalation: false
privileged: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* Own rules of affinity win over keeping replicas on different nodes. */}}
{{- define "hookward.affinity" -}}
{{- $term := dict "topologyKey" "kubernetes.io/hostname" "labelSelector" (dict "matchLabels" (include "hookward.selector" . | fromYaml)) -}}
{{- if .Values.affinity -}}
{{ toYaml .Values.affinity }}
{{- else if eq .Values.antiAffinity "hard" -}}
podAntiAffinity:
  requiredDuringSchedulingIgnoredDuringExecution:
  - {{- toYaml (merge (dict "matchLabelKeys" (list "pod-template-hash")) $term) | nindent 4 }}
{{- else if eq .Values.antiAffinity "soft" -}}
podAntiAffinity:
  preferredDuringSchedulingIgnoredDuringExecution:
  - weight: 100
    podAffinityTerm:
      {{- toYaml $term | nindent 6 }}
{{- end -}}
{{- end -}}

{{/* Counted for each revision of the pods by itself, else a rollout ends up lopsided. */}}
{{- define "hookward.topologySpread" -}}
{{- $unsatisfiable := ternary "DoNotSchedule" "ScheduleAnyway" (eq .Values.topologySpread "hard") -}}
{{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
- topologyKey: {{ . }}
  maxSkew: 1
  whenUnsatisfiable: {{ $unsatisfiable }}
  matchLabelKeys: [pod-template-hash]
  labelSelector:
    matchLabels:
      {{- include "hookward.selector" $ | nindent 6 }}
{{- end }}
{{- end -}}
