#include "viewer/dicom/listener/association.h"

#include <dcmtk/config/osconfig.h>

#include <dcmtk/dcmdata/dctk.h>
#include <dcmtk/dcmnet/assoc.h>
#include <dcmtk/dcmnet/dimse.h>
#include <dcmtk/dcmnet/diutil.h>
#include <dcmtk/oflog/oflog.h>

#include <cstring>
#include <fcntl.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

#include "viewer/dicom/netproto.h"

namespace {

constexpr std::uint64_t kBreath = 256 << 10; // bytes that earn another idle_s
constexpr unsigned kServerSeconds = 120;     // the server has for a verdict
constexpr long kPduBytes = ASC_MAXIMUMPDUSIZE;
const char kImplementation[] = "2.25.299054826174093826458720315702646102";
const char kStorage[] = "1.2.840.10008.5.1.4.1.1."; // PS3.4 §B.5, private classes aside
const char kSyntaxes[] = "1.2.840.10008.1.2";       // PS3.6 §A

struct work {
    const cn_association *own;
    T_ASC_Association *assoc;
    std::uint32_t files;
    std::uint64_t bytes;
    std::uint64_t breathed;  // bytes since the peer got its last idle_s
    std::string syntax[256]; // of each presentation context, \"\": none
};

cn_net_verdict ask(const work &job, const void *message, std::size_t size)
{
    cn_net_verdict verdict = {CN_NET_VERDICT, CN_NET_NO_ROOM, "the server does not answer"};
    char answer[512];
    alarm(kServerSeconds);
    ssize_t got = send(job.own->server, message, size, MSG_NOSIGNAL) == static_cast<ssize_t>(size)
                      ? recv(job.own->server, answer, sizeof(answer), 0)
                      : -1;
    cn_net_verdict read;
    if (got > 0 && cn_net_verdict_read(answer, static_cast<std::size_t>(got), &read)) verdict = read;
    alarm(job.own->idle_s);
    return verdict;
}

void copy_text(char *to, std::size_t size, const char *from)
{
    std::size_t len = strnlen(from, size - 1);
    while (len && from[len - 1] == ' ') len--; // titles may be padded
    std::memcpy(to, from, len);
}

bool known_syntax(const char *uid)
{
    return std::strncmp(uid, kSyntaxes, sizeof(kSyntaxes) - 1) == 0;
}

// The first syntax that the peer names: he knows what he has, and everything is kept as it comes.
void choose_context(T_ASC_Parameters *params, int index)
{
    T_ASC_PresentationContext context;
    if (ASC_getPresentationContext(params, index, &context).bad()) return;
    const bool echo = std::strcmp(context.abstractSyntax, UID_VerificationSOPClass) == 0;
    const bool store = std::strncmp(context.abstractSyntax, kStorage, sizeof(kStorage) - 1) == 0;
    for (int i = 0; (echo || store) && i < context.transferSyntaxCount; i++)
        if (known_syntax(context.proposedTransferSyntaxes[i])) {
            ASC_acceptPresentationContext(params, context.presentationContextID, context.proposedTransferSyntaxes[i]);
            return;
        }
    ASC_refusePresentationContext(params, context.presentationContextID,
                                  echo || store ? ASC_P_TRANSFERSYNTAXESNOTSUPPORTED
                                                : ASC_P_ABSTRACTSYNTAXNOTSUPPORTED);
}

OFCondition refuse(T_ASC_Association *assoc, T_ASC_RejectParametersReason reason)
{
    T_ASC_RejectParameters why = {ASC_RESULT_REJECTEDPERMANENT, ASC_SOURCE_SERVICEUSER, reason};
    if (reason == ASC_REASON_SP_PRES_LOCALLIMITEXCEEDED)
        why = {ASC_RESULT_REJECTEDTRANSIENT, ASC_SOURCE_SERVICEPROVIDER_PRESENTATION_RELATED, reason};
    OFCondition sent = ASC_rejectAssociation(assoc, &why);
    return sent.good() ? ASC_NULLKEY : sent;
}

// DCMTK takes and sends nothing in a context whose syntax it does not know, though commands have one of their own: `syntax` keeps what was agreed.
void note_syntaxes(work &job)
{
    DUL_ASSOCIATESERVICEPARAMETERS &params = job.assoc->params->DULparams;
    for (LST_HEAD **list : {&params.acceptedPresentationContext, &params.requestedPresentationContext}) {
        auto *context = *list ? static_cast<DUL_PRESENTATIONCONTEXT *>(LST_Head(list)) : nullptr;
        if (context) (void)LST_Position(list, static_cast<LST_NODE *>(context));
        for (; context; context = static_cast<DUL_PRESENTATIONCONTEXT *>(LST_Next(list))) {
            if (list == &params.acceptedPresentationContext)
                job.syntax[context->presentationContextID] = context->acceptedTransferSyntax;
            OFStandard::strlcpy(context->acceptedTransferSyntax, UID_LittleEndianImplicitTransferSyntax,
                                sizeof(context->acceptedTransferSyntax));
        }
    }
}

OFCondition negotiate(work &job)
{
    T_ASC_Parameters *params = job.assoc->params;
    cn_net_hello hello = {};
    hello.kind = CN_NET_HELLO;
    copy_text(hello.calling, sizeof(hello.calling), params->DULparams.callingAPTitle);
    copy_text(hello.called, sizeof(hello.called), params->DULparams.calledAPTitle);
    const cn_net_verdict verdict = ask(job, &hello, sizeof(hello));
    if (verdict.status == CN_NET_MISMATCH) return refuse(job.assoc, ASC_REASON_SU_CALLEDAETITLENOTRECOGNIZED);
    if (verdict.status == CN_NET_NO_ROOM) return refuse(job.assoc, ASC_REASON_SP_PRES_LOCALLIMITEXCEEDED);
    if (verdict.status != CN_NET_TAKEN) return refuse(job.assoc, ASC_REASON_SU_CALLINGAETITLENOTRECOGNIZED);
    for (int i = 0; i < ASC_countPresentationContexts(params); i++) choose_context(params, i);
    OFCondition sent = ASC_acknowledgeAssociation(job.assoc);
    if (sent.good()) note_syntaxes(job);
    return sent;
}

void comment(DcmDataset **detail, const char *why)
{
    *detail = new DcmDataset;
    (*detail)->putAndInsertString(DCM_ErrorComment, why);
}

void put(std::string &out, unsigned element, const char *vr, std::string value, char pad = '\0')
{
    if (value.size() % 2) value += pad;
    const bool longer = std::strcmp(vr, "OB") == 0;
    const std::size_t n = value.size();
    const char head[] = {2, 0, static_cast<char>(element), 0, vr[0], vr[1]};
    out.append(head, sizeof(head));
    if (longer) out.append(2, '\0');
    for (unsigned i = 0; i < (longer ? 4U : 2U); i++) out += static_cast<char>(n >> 8 * i & 255);
    out += value;
}

// Preamble and meta information (PS3.10 §7.1), in front of the data set as it comes.
std::string meta(const T_DIMSE_C_StoreRQ *request, const char *syntax)
{
    std::string group, out(128, '\0'), length;
    put(group, 0x01, "OB", std::string("\0\1", 2));
    put(group, 0x02, "UI", request->AffectedSOPClassUID);
    put(group, 0x03, "UI", request->AffectedSOPInstanceUID);
    put(group, 0x10, "UI", syntax);
    put(group, 0x12, "UI", kImplementation);
    put(group, 0x13, "SH", "CONSILIUM", ' ');
    for (unsigned i = 0; i < 4; i++) length += static_cast<char>(group.size() >> 8 * i & 255);
    out += "DICM";
    put(out, 0x00, "UL", length);
    return out + group;
}

bool write_all(int fd, const void *bytes, std::size_t len)
{
    const char *at = static_cast<const char *>(bytes);
    while (len > 0) {
        const ssize_t n = write(fd, at, len);
        if (n <= 0) return false;
        at += n;
        len -= static_cast<std::size_t>(n);
    }
    return true;
}

OFCondition next_value(const work &job, DUL_PDV *value)
{
    OFCondition done = DUL_NextPDV(&job.assoc->DULassociation, value);
    if (done.good()) return done;
    done = DUL_ReadPDVs(&job.assoc->DULassociation, nullptr, DUL_BLOCK, 0);
    return done == DUL_PDATAPDUARRIVED ? DUL_NextPDV(&job.assoc->DULassociation, value) : done;
}

// The data set to its end, as it comes: DCMTK's own way refuses syntaxes that it cannot read. Also what finds no room is read.
OFCondition receive(work &job, T_ASC_PresentationContextID context, int fd, bool *written)
{
    DUL_PDV value = {};
    while (!value.lastPDV) {
        OFCondition done = next_value(job, &value);
        if (done.bad()) return done;
        if (value.pdvType != DUL_DATASETPDV || value.presentationContextID != context) return DIMSE_UNEXPECTEDPDVTYPE;
        job.bytes += value.fragmentLength;
        job.breathed += value.fragmentLength;
        if (job.bytes > job.own->bytes_max) _exit(3);
        if (job.breathed >= kBreath) alarm(job.own->idle_s);
        if (job.breathed >= kBreath) job.breathed = 0;
        *written = *written && write_all(fd, value.data, value.fragmentLength);
    }
    return EC_Normal;
}

cn_net_verdict arrived(const work &job, const T_DIMSE_C_StoreRQ *request)
{
    cn_net_file file = {};
    file.kind = CN_NET_FILE;
    file.number = job.files;
    copy_text(file.sop_class, sizeof(file.sop_class), request->AffectedSOPClassUID);
    copy_text(file.instance, sizeof(file.instance), request->AffectedSOPInstanceUID);
    return ask(job, &file, sizeof(file));
}

OFCondition answer(const work &job, T_ASC_PresentationContextID context, T_DIMSE_C_StoreRQ *request,
                   const cn_net_verdict &verdict)
{
    T_DIMSE_C_StoreRSP response = {};
    DcmDataset *detail = nullptr;
    response.DimseStatus = static_cast<DIC_US>(verdict.status);
    response.MessageIDBeingRespondedTo = request->MessageID;
    response.DataSetType = DIMSE_DATASET_NULL;
    response.opts = O_STORE_AFFECTEDSOPCLASSUID | O_STORE_AFFECTEDSOPINSTANCEUID;
    OFStandard::strlcpy(response.AffectedSOPClassUID, request->AffectedSOPClassUID, sizeof(DIC_UI));
    OFStandard::strlcpy(response.AffectedSOPInstanceUID, request->AffectedSOPInstanceUID, sizeof(DIC_UI));
    if (verdict.status != CN_NET_TAKEN) comment(&detail, verdict.why);
    OFCondition sent = DIMSE_sendStoreResponse(job.assoc, context, request, &response, detail);
    delete detail;
    return sent;
}

OFCondition store(work &job, T_ASC_PresentationContextID context, T_DIMSE_C_StoreRQ *request)
{
    char path[4096];
    job.files++;
    job.breathed = 0;
    if (!cn_net_spool_path(job.own->spool, job.own->number, job.files, path, sizeof(path)) ||
        job.syntax[context].empty() || request->DataSetType == DIMSE_DATASET_NULL)
        return EC_IllegalCall;
    const std::string head = meta(request, job.syntax[context].c_str());
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool written = fd >= 0 && write_all(fd, head.data(), head.size());
    OFCondition done = receive(job, context, fd, &written);
    if (fd >= 0) close(fd);
    cn_net_verdict verdict = {CN_NET_VERDICT, CN_NET_NO_ROOM, "the file did not fit on the disk"};
    if (done.good() && written) verdict = arrived(job, request);
    unlink(path); // the server has it, or does not want it
    return done.good() ? answer(job, context, request, verdict) : done;
}

OFCondition serve(work &job)
{
    OFCondition done = EC_Normal;
    while (done.good()) {
        T_ASC_PresentationContextID context;
        T_DIMSE_Message message;
        alarm(job.own->idle_s);
        done = DIMSE_receiveCommand(job.assoc, DIMSE_BLOCKING, 0, &context, &message, nullptr);
        if (done.bad()) break;
        if (message.CommandField == DIMSE_C_ECHO_RQ)
            done = DIMSE_sendEchoResponse(job.assoc, context, &message.msg.CEchoRQ, STATUS_Success, nullptr);
        else if (message.CommandField == DIMSE_C_STORE_RQ)
            done = store(job, context, &message.msg.CStoreRQ);
        else
            done = DIMSE_BADCOMMANDTYPE;
    }
    return done;
}

} // namespace

int cn_association_prepare(void)
{
    OFLog::configure(OFLogger::OFF_LOG_LEVEL); // its messages may hold what is in the files
    dcmDisableGethostbyaddr.set(OFTrue);
    return dcmDataDict.isDictionaryLoaded() ? 0 : -1;
}

int cn_association_serve(const cn_association *own)
{
    work job = {own, nullptr, 0, 0, 0, {}};
    T_ASC_Network *network = nullptr;
    alarm(own->idle_s);
    dcmExternalSocketHandle.set(own->peer);
    if (ASC_initializeNetwork(NET_ACCEPTOR, 0, static_cast<int>(own->idle_s), &network).bad()) return 1;
    OFCondition done = ASC_receiveAssociation(network, &job.assoc, kPduBytes);
    if (done.good()) done = negotiate(job);
    if (done.good()) done = serve(job);
    if (done == DUL_PEERREQUESTEDRELEASE)
        done = ASC_acknowledgeRelease(job.assoc);
    else if (job.assoc && done != DUL_PEERABORTEDASSOCIATION && done != ASC_NULLKEY)
        ASC_abortAssociation(job.assoc);
    if (job.assoc) ASC_dropSCPAssociation(job.assoc, 1);
    return done.good() ? 0 : 1;
}
