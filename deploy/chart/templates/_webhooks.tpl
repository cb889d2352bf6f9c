{{/*
The webhooks, once: registered as they are here, and mounted for the server, which tells when somebody changes them.
No caBundle: the replicas write it, and neither Helm 3 nor Helm 4 takes away what a chart never had.
*/}}

{{/* In CEL: whether `one` is a hook; whether it has an event that takes nothing back (a word that Helm does not know counts as one). */}}
{{- define "hookward.isHook" -}}
has(one.metadata) && has(one.metadata.annotations) && 'helm.sh/hook' in one.metadata.annotations
{{- end -}}
{{- define "hookward.goesForward" -}}
{{ include "hookward.isHook" . }} && one.metadata.annotations['helm.sh/hook'].split(',').exists(event, !(event.trim().lowerAscii() in ['pre-rollback', 'post-rollback', 'pre-delete', 'post-delete']))
{{- end -}}
{{/* On CREATE there is no old object. */}}
{{- define "hookward.either" -}}
[object, oldObject].exists(one, one != null && {{ . }})
{{- end -}}

{{/* What is on its way out is nobody's business: while nobody answers, its finalizers have to go all the same. */}}
{{- define "hookward.stays" -}}
- name: stays
  expression: oldObject == null || !(has(oldObject.metadata) && has(oldObject.metadata.deletionTimestamp))
{{- end -}}

{{/* What all have in common: {root, path, failurePolicy}, and sideEffects where there are none at all. */}}
{{- define "hookward.webhook" -}}
admissionReviewVersions: [v1]
clientConfig:
  service:
    name: {{ include "hookward.name" .root }}
    namespace: {{ .root.Release.Namespace | toYaml }}
    path: {{ .path }}
    port: {{ .root.Values.service.port }}
failurePolicy: {{ .failurePolicy }}
matchPolicy: Equivalent
sideEffects: {{ .sideEffects | default "NoneOnDryRun" }}
timeoutSeconds: {{ .root.Values.webhooks.timeoutSeconds }}
{{- end -}}

{{- define "hookward.everything" -}}
apiGroups: ["*"]
apiVersions: ["*"]
resources: ["*"]
scope: "*"
{{- end -}}

{{- define "hookward.ownResources" -}}
- apiGroups: [hookward.dev]
  apiVersions: [v1alpha1]
  operations: [CREATE, UPDATE]
  resources: [hookpolicies, hookexceptions, hookexceptions/status]
  scope: Cluster
{{- end -}}

{{/* By a label that the API server forces, so nobody can be excluded by labelling his namespace. */}}
{{- define "hookward.namespaces" -}}
namespaceSelector:
  matchExpressions:
  - key: kubernetes.io/metadata.name
    operator: NotIn
    values: {{ concat (list .Release.Namespace) (.Values.webhooks.excludedNamespaces | default list) | uniq | toJson }}
{{- end -}}

{{- define "hookward.mutatingWebhooks" -}}
{{- $failurePolicy := .Values.webhooks.failurePolicy -}}
- name: mutate.hookward.dev
  {{- include "hookward.webhook" (dict "root" . "path" "/mutate" "failurePolicy" $failurePolicy.mutate) | nindent 2 }}
  reinvocationPolicy: IfNeeded
  {{- include "hookward.namespaces" . | nindent 2 }}
  matchConditions:
  - name: is-hook
    expression: {{ include "hookward.either" (include "hookward.isHook" .) | quote }}
  rules:
  - operations: [CREATE]
    {{- include "hookward.everything" . | nindent 4 }}
- name: policy.hookward.dev
  {{- include "hookward.webhook" (dict "root" . "path" "/policy/stamp" "failurePolicy" $failurePolicy.policy "sideEffects" "None") | nindent 2 }}
  reinvocationPolicy: IfNeeded
  rules:
  {{- include "hookward.ownResources" . | nindent 2 }}
{{- end -}}

{{- define "hookward.validatingWebhooks" -}}
{{- $failurePolicy := .Values.webhooks.failurePolicy -}}
{{- $forward := include "hookward.either" (include "hookward.goesForward" .) -}}
- name: validate.hookward.dev
  {{- $byProfile := ternary "Ignore" "Fail" (eq .Values.profile "audit") }}
  {{- include "hookward.webhook" (dict "root" . "path" "/validate" "failurePolicy" (default $byProfile $failurePolicy.validate)) | nindent 2 }}
  {{- include "hookward.namespaces" . | nindent 2 }}
  matchConditions:
  - name: goes-forward
    expression: {{ $forward | quote }}
  {{- include "hookward.stays" . | nindent 2 }}
  rules:
  - operations: [CREATE, UPDATE]
    {{- include "hookward.everything" . | nindent 4 }}
- name: recovery.hookward.dev
  {{- include "hookward.webhook" (dict "root" . "path" "/validate" "failurePolicy" "Ignore") | nindent 2 }}
  {{- include "hookward.namespaces" . | nindent 2 }}
  matchConditions:
  - name: takes-back
    expression: {{ printf "%s && !%s" (include "hookward.either" (include "hookward.isHook" .)) $forward | quote }}
  {{- include "hookward.stays" . | nindent 2 }}
  rules:
  - operations: [CREATE, UPDATE]
    {{- include "hookward.everything" . | nindent 4 }}
{{- if .Values.releaseGate.enabled }}
- name: release.hookward.dev
  {{- include "hookward.webhook" (dict "root" . "path" "/release" "failurePolicy" $failurePolicy.release) | nindent 2 }}
  {{- include "hookward.namespaces" . | nindent 2 }}
  objectSelector:
    matchLabels:
      owner: helm
    matchExpressions:
    - key: status
      operator: In
      values: [pending-install, pending-upgrade]
  matchConditions:
  - name: is-release
    expression: object.type == 'helm.sh/release.v1'
  rules:
  - apiGroups: [""]
    apiVersions: [v1]
    operations: [CREATE]
    resources: [secrets]
    scope: "*"
{{- end }}
- name: policy.hookward.dev
  {{- include "hookward.webhook" (dict "root" . "path" "/policy" "failurePolicy" $failurePolicy.policy "sideEffects" "None") | nindent 2 }}
  rules:
  {{- include "hookward.ownResources" . | nindent 2 }}
{{- end -}}

{{/* What names this registration: the same on both configurations, another one when any webhook changes. */}}
{{- define "hookward.revision" -}}
{{ print (include "hookward.mutatingWebhooks" .) (include "hookward.validatingWebhooks" .) | sha256sum | trunc 16 | quote }}
{{- end -}}

{{/* Both configurations, without a kind's leading dashes: {root, kind, webhooks}. */}}
{{- define "hookward.webhookConfiguration" -}}
apiVersion: admissionregistration.k8s.io/v1
kind: {{ .kind }}
metadata:
  name: {{ include "hookward.name" .root }}
  labels:
    {{- include "hookward.labels" .root | nindent 4 }}
  annotations:
    # Replicas of another release see by it that their own file is not up to date yet.
    hookward.dev/registration: {{ include "hookward.revision" .root }}
    {{- with .root.Values.webhooks.annotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
webhooks:
{{ .webhooks }}
{{- end -}}

{{- define "hookward.mutatingConfiguration" -}}
{{ include "hookward.webhookConfiguration" (dict "root" . "kind" "MutatingWebhookConfiguration" "webhooks" (include "hookward.mutatingWebhooks" .)) }}
{{- end -}}

{{- define "hookward.validatingConfiguration" -}}
{{ include "hookward.webhookConfiguration" (dict "root" . "kind" "ValidatingWebhookConfiguration" "webhooks" (include "hookward.validatingWebhooks" .)) }}
{{- end -}}
