"""The fields of Kubernetes' own kinds that are of use here, by their numbers in protobuf.

A line a message, and a word a field: NAME=NUMBER, then «[]» where it is repeated, «{}» where it is a map of
texts, «?» where JSON has it even if it is empty or 0 (a pointer in Go, or a field that is always written),
and its type if that is not text. «+» for a name: the fields of that message are those of its parent, as JSON
has them.

Sources: k8s.io/api core/v1, apps/v1, batch/v1, storage/v1, discovery/v1, admissionregistration/v1,
coordination/v1 (generated.proto, and types.go for pointers and names in JSON), apimachinery
pkg/apis/meta/v1/generated.proto and pkg/runtime/generated.proto, of 1.37. A number never gets another meaning
there. The older versions of a group that are named below have the same numbers in these fields.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

SCALARS = {"text", "bool", "int", "bytes", "time", "microtime", "quantity"}
NUMBERS = {"bool", "int"}  # the others are bytes with a length in front
FIELD = re.compile(r"(\w+|\+)=(\d+)(\[\]|\{\}|\?|)(?::(\w+))?")

KINDS = """
v1: Namespace ConfigMap Secret Node PersistentVolume PersistentVolumeClaim Service Pod
apps/v1: Deployment StatefulSet DaemonSet ReplicaSet
batch/v1: Job CronJob
batch/v1beta1: CronJob
storage.k8s.io/v1: VolumeAttachment
storage.k8s.io/v1beta1: VolumeAttachment
discovery.k8s.io/v1: EndpointSlice
discovery.k8s.io/v1beta1: EndpointSlice
coordination.k8s.io/v1: Lease
networking.k8s.io/v1: ServiceCIDR
networking.k8s.io/v1beta1: ServiceCIDR
admissionregistration.k8s.io/v1: ValidatingWebhookConfiguration MutatingWebhookConfiguration
admissionregistration.k8s.io/v1beta1: ValidatingWebhookConfiguration MutatingWebhookConfiguration
"""

MESSAGES = """
Unknown: typeMeta=1:TypeMeta raw=2:bytes contentEncoding=3 contentType=4
TypeMeta: apiVersion=1 kind=2

ObjectMeta: name=1 generateName=2 namespace=3 uid=5 generation=7:int creationTimestamp=8:time
    deletionTimestamp=9:time labels=11{} annotations=12{} ownerReferences=13[]:OwnerReference finalizers=14[]
    managedFields=17[]:ManagedFieldsEntry
OwnerReference: kind=1 name=3 uid=4 apiVersion=5 controller=6?:bool blockOwnerDeletion=7?:bool
ManagedFieldsEntry: manager=1 operation=2 apiVersion=3 time=4:time subresource=8
ObjectReference: kind=1 namespace=2 name=3 uid=4 apiVersion=5
LabelSelector: matchLabels=1{} matchExpressions=2[]:LabelSelectorRequirement
LabelSelectorRequirement: key=1 operator=2 values=3[]
Timestamp: seconds=1:int nanos=2:int
Quantity: string=1
Entry: key=1 value=2:bytes

Namespace: metadata=1:ObjectMeta spec=2:NamespaceSpec status=3:NamespaceStatus
NamespaceSpec: finalizers=1[]
NamespaceStatus: phase=1
ConfigMap: metadata=1:ObjectMeta data=2{} binaryData=3{}:bytes immutable=4?:bool
Secret: metadata=1:ObjectMeta data=2{}:bytes type=3 immutable=5?:bool
Lease: metadata=1:ObjectMeta spec=2:LeaseSpec
LeaseSpec: holderIdentity=1? leaseDurationSeconds=2?:int acquireTime=3:microtime renewTime=4:microtime
    leaseTransitions=5?:int
ServiceCIDR: metadata=1:ObjectMeta spec=2:ServiceCIDRSpec
ServiceCIDRSpec: cidrs=1[]

Node: metadata=1:ObjectMeta spec=2:NodeSpec status=3:NodeStatus
NodeSpec: podCIDR=1 providerID=3 unschedulable=4:bool taints=5[]:Taint podCIDRs=7[]
Taint: key=1 value=2 effect=3 timeAdded=4:time
NodeStatus: conditions=4[]:NodeCondition addresses=5[]:NodeAddress nodeInfo=7:NodeSystemInfo
    images=8[]:ContainerImage volumesInUse=9[] volumesAttached=10[]:AttachedVolume
NodeCondition: type=1 status=2 lastHeartbeatTime=3:time lastTransitionTime=4:time reason=5 message=6
NodeAddress: type=1 address=2
NodeSystemInfo: machineID=1 systemUUID=2 bootID=3 kernelVersion=4 osImage=5 containerRuntimeVersion=6
    kubeletVersion=7 operatingSystem=9 architecture=10
ContainerImage: names=1[] sizeBytes=2:int
AttachedVolume: name=1 devicePath=2

PersistentVolume: metadata=1:ObjectMeta spec=2:PersistentVolumeSpec status=3:PersistentVolumeStatus
PersistentVolumeSpec: capacity=1{}:quantity +=2:PersistentVolumeSource accessModes=3[]
    claimRef=4:ObjectReference persistentVolumeReclaimPolicy=5 storageClassName=6 volumeMode=8
    nodeAffinity=9:VolumeNodeAffinity
PersistentVolumeSource: gcePersistentDisk=1:GCEPersistentDiskVolumeSource
    awsElasticBlockStore=2:AWSElasticBlockStoreVolumeSource hostPath=3:HostPathVolumeSource
    glusterfs=4:GlusterfsPersistentVolumeSource nfs=5:NFSVolumeSource rbd=6:RBDPersistentVolumeSource
    iscsi=7:ISCSIPersistentVolumeSource cinder=8:CinderPersistentVolumeSource
    cephfs=9:CephFSPersistentVolumeSource fc=10:FCVolumeSource flocker=11:FlockerVolumeSource
    flexVolume=12:FlexPersistentVolumeSource azureFile=13:AzureFilePersistentVolumeSource
    vsphereVolume=14:VsphereVirtualDiskVolumeSource quobyte=15:QuobyteVolumeSource
    azureDisk=16:AzureDiskVolumeSource photonPersistentDisk=17:PhotonPersistentDiskVolumeSource
    portworxVolume=18:PortworxVolumeSource scaleIO=19:ScaleIOPersistentVolumeSource
    local=20:LocalVolumeSource storageos=21:StorageOSPersistentVolumeSource csi=22:CSIPersistentVolumeSource
AWSElasticBlockStoreVolumeSource: volumeID=1 fsType=2 partition=3:int readOnly=4:bool
AzureDiskVolumeSource: diskName=1? diskURI=2? cachingMode=3? fsType=4? readOnly=5?:bool kind=6?
AzureFilePersistentVolumeSource: secretName=1? shareName=2? readOnly=3:bool secretNamespace=4?
CephFSPersistentVolumeSource: monitors=1[] path=2 user=3 secretFile=4 secretRef=5:SecretReference
    readOnly=6:bool
CinderPersistentVolumeSource: volumeID=1? fsType=2 readOnly=3:bool secretRef=4:SecretReference
FCVolumeSource: targetWWNs=1[] lun=2?:int fsType=3 readOnly=4:bool wwids=5[]
FlexPersistentVolumeSource: driver=1? fsType=2 secretRef=3:SecretReference readOnly=4:bool options=5{}
FlockerVolumeSource: datasetName=1 datasetUUID=2
GCEPersistentDiskVolumeSource: pdName=1? fsType=2 partition=3:int readOnly=4:bool
GlusterfsPersistentVolumeSource: endpoints=1? path=2? readOnly=3:bool endpointsNamespace=4?
ISCSIPersistentVolumeSource: targetPortal=1? iqn=2? lun=3?:int iscsiInterface=4 fsType=5 readOnly=6:bool
    portals=7[] chapAuthDiscovery=8:bool secretRef=10:SecretReference chapAuthSession=11:bool
    initiatorName=12?
PhotonPersistentDiskVolumeSource: pdID=1? fsType=2
PortworxVolumeSource: volumeID=1? fsType=2 readOnly=3:bool
QuobyteVolumeSource: registry=1? volume=2? readOnly=3:bool user=4 group=5 tenant=6
RBDPersistentVolumeSource: monitors=1[] image=2? fsType=3 pool=4 user=5 keyring=6
    secretRef=7:SecretReference readOnly=8:bool
ScaleIOPersistentVolumeSource: gateway=1? system=2? secretRef=3:SecretReference sslEnabled=4:bool
    protectionDomain=5 storagePool=6 storageMode=7 volumeName=8 fsType=9 readOnly=10:bool
StorageOSPersistentVolumeSource: volumeName=1 volumeNamespace=2 fsType=3 readOnly=4:bool
    secretRef=5:ObjectReference
VsphereVirtualDiskVolumeSource: volumePath=1? fsType=2 storagePolicyName=3 storagePolicyID=4
SecretReference: name=1 namespace=2
HostPathVolumeSource: path=1? type=2?
NFSVolumeSource: server=1? path=2? readOnly=3:bool
LocalVolumeSource: path=1? fsType=2?
CSIPersistentVolumeSource: driver=1? volumeHandle=2? readOnly=3:bool fsType=4 volumeAttributes=5{}
    controllerPublishSecretRef=6:SecretReference nodeStageSecretRef=7:SecretReference
    nodePublishSecretRef=8:SecretReference controllerExpandSecretRef=9:SecretReference
    nodeExpandSecretRef=10:SecretReference
VolumeNodeAffinity: required=1:NodeSelector
NodeSelector: nodeSelectorTerms=1[]:NodeSelectorTerm
NodeSelectorTerm: matchExpressions=1[]:NodeSelectorRequirement matchFields=2[]:NodeSelectorRequirement
NodeSelectorRequirement: key=1 operator=2 values=3[]
PersistentVolumeStatus: phase=1
PersistentVolumeClaim: metadata=1:ObjectMeta spec=2:PersistentVolumeClaimSpec
    status=3:PersistentVolumeClaimStatus
PersistentVolumeClaimSpec: accessModes=1[] volumeName=3 storageClassName=5? volumeMode=6
PersistentVolumeClaimStatus: phase=1 capacity=3{}:quantity
VolumeAttachment: metadata=1:ObjectMeta spec=2:VolumeAttachmentSpec status=3:VolumeAttachmentStatus
VolumeAttachmentSpec: attacher=1 source=2:VolumeAttachmentSource nodeName=3
VolumeAttachmentSource: persistentVolumeName=1? inlineVolumeSpec=2:PersistentVolumeSpec
VolumeAttachmentStatus: attached=1?:bool

ValidatingWebhookConfiguration: metadata=1:ObjectMeta webhooks=2[]:ValidatingWebhook
ValidatingWebhook: name=1 clientConfig=2:WebhookClientConfig rules=3[]:RuleWithOperations failurePolicy=4
    namespaceSelector=5:LabelSelector sideEffects=6 timeoutSeconds=7?:int admissionReviewVersions=8[]
    matchPolicy=9 objectSelector=10:LabelSelector matchConditions=11[]:MatchCondition
MutatingWebhookConfiguration: metadata=1:ObjectMeta webhooks=2[]:MutatingWebhook
MutatingWebhook: name=1 clientConfig=2:WebhookClientConfig rules=3[]:RuleWithOperations failurePolicy=4
    namespaceSelector=5:LabelSelector sideEffects=6 timeoutSeconds=7?:int admissionReviewVersions=8[]
    matchPolicy=9 reinvocationPolicy=10 objectSelector=11:LabelSelector matchConditions=12[]:MatchCondition
WebhookClientConfig: service=1:ServiceReference caBundle=2:bytes url=3?
ServiceReference: namespace=1 name=2 path=3? port=4?:int
RuleWithOperations: operations=1[] +=2:Rule
Rule: apiGroups=1[] apiVersions=2[] resources=3[] scope=4
MatchCondition: name=1 expression=2

Service: metadata=1:ObjectMeta spec=2:ServiceSpec
ServiceSpec: ports=1[]:ServicePort selector=2{} clusterIP=3 type=4 externalName=10
    publishNotReadyAddresses=13:bool clusterIPs=18[]
ServicePort: name=1 protocol=2 port=3:int nodePort=5:int
EndpointSlice: metadata=1:ObjectMeta endpoints=2[]:Endpoint ports=3[]:EndpointPort addressType=4
Endpoint: addresses=1[] conditions=2:EndpointConditions hostname=3? targetRef=4:ObjectReference nodeName=6?
EndpointConditions: ready=1?:bool serving=2?:bool terminating=3?:bool
EndpointPort: name=1? protocol=2? port=3?:int

Pod: metadata=1:ObjectMeta spec=2:PodSpec status=3:PodStatus
PodSpec: volumes=1[]:Volume containers=2[]:Container nodeName=10 hostNetwork=11:bool priorityClassName=24
    initContainers=20[]:Container ephemeralContainers=34[]:EphemeralContainer
Volume: name=1 +=2:VolumeSource
VolumeSource: hostPath=1:HostPathVolumeSource persistentVolumeClaim=10:PersistentVolumeClaimVolumeSource
    image=30:ImageVolumeSource
PersistentVolumeClaimVolumeSource: claimName=1 readOnly=2:bool
ImageVolumeSource: reference=1 pullPolicy=2
Container: name=1 image=2 imagePullPolicy=14
EphemeralContainer: +=1:Container
PodStatus: phase=1 conditions=2[]:PodCondition reason=4 hostIP=5 podIP=6 podIPs=12[]:PodIP startTime=7:time
PodCondition: type=1 status=2 lastTransitionTime=4:time
PodIP: ip=1
PodTemplateSpec: metadata=1:ObjectMeta spec=2:PodSpec

Deployment: metadata=1:ObjectMeta spec=2:DeploymentSpec
DeploymentSpec: replicas=1?:int selector=2:LabelSelector template=3:PodTemplateSpec paused=7:bool
StatefulSet: metadata=1:ObjectMeta spec=2:StatefulSetSpec
StatefulSetSpec: replicas=1?:int selector=2:LabelSelector template=3:PodTemplateSpec serviceName=5
DaemonSet: metadata=1:ObjectMeta spec=2:DaemonSetSpec
DaemonSetSpec: selector=1:LabelSelector template=2:PodTemplateSpec
ReplicaSet: metadata=1:ObjectMeta spec=2:ReplicaSetSpec
ReplicaSetSpec: replicas=1?:int selector=2:LabelSelector template=3:PodTemplateSpec
Job: metadata=1:ObjectMeta spec=2:JobSpec status=3:JobStatus
JobStatus: startTime=2:time completionTime=3:time
JobSpec: parallelism=1?:int completions=2?:int template=6:PodTemplateSpec suspend=10?:bool
CronJob: metadata=1:ObjectMeta spec=2:CronJobSpec
CronJobSpec: schedule=1 suspend=4?:bool jobTemplate=5:JobTemplateSpec
JobTemplateSpec: metadata=1:ObjectMeta spec=2:JobSpec
"""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a message.

    name: as JSON has it; "" where its fields are those of its parent.
    type: one of SCALARS, or the name of a message. pointer: whether JSON has it even if it is empty or 0.
    """

    name: str
    type: str
    repeated: bool
    mapping: bool
    pointer: bool


Table = Mapping[int, Field]


def _tables() -> dict[str, Table]:
    """Every message of MESSAGES by its name."""
    tables: dict[str, Table] = {}
    for line in re.sub(r"\n +", " ", MESSAGES).splitlines():
        name, _, fields = line.partition(":")
        if name:
            tables[name] = {int(number): field for number, field in map(_field, fields.split())}
    return tables


def _field(word: str) -> tuple[str, Field]:
    found = FIELD.fullmatch(word)
    if found is None:
        raise ValueError(word)
    name, number, form, kind = found.groups()
    shown = "" if name == "+" else name
    return number, Field(shown, kind or "text", form == "[]", form == "{}", form == "?")


TABLES: Mapping[str, Table] = _tables()
# The message of a kind, by its version and name.
OF_KINDS: Mapping[tuple[str, str], str] = {
    (version, kind): kind
    for version, _, kinds in (line.partition(": ") for line in KINDS.split("\n") if line)
    for kind in kinds.split()
}
