export const adminMessages = {
  zh: { directory: { title: '专家库', search: '姓名、科室、医院', all: '全部医院', role: { expert: '专家', referrer: '申请医生' }, only_experts: '只看专家', count: '{doctors} 位医生，{hospitals} 家医院', none: '没有符合条件的医生', nobody: '暂无医生' } },
  en: { directory: { title: 'Experts', search: 'Name, department, hospital', all: 'All hospitals', role: { expert: 'Expert', referrer: 'Referring doctor' }, only_experts: 'Experts only', count: '{doctors} doctors, {hospitals} hospitals', none: 'Nobody matches', nobody: 'Nobody yet' } },
}
